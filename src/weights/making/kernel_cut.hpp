// The cuts of a kernel K[o, i, h, w]: into which two groups its axes may fall.
#pragma once

#include "core/named_values.hpp"
#include "weights/forms/factor_cost.hpp"
#include "weights/forms/kernel_shape.hpp"

namespace rankine::weights {

enum class KernelCut { o_ihw, i_ohw, h_oiw, w_oih, oi_hw, oh_iw, ow_ih };

inline constexpr Named<KernelCut> kernel_cut_names[] = {
    {KernelCut::o_ihw, "o|ihw"}, {KernelCut::i_ohw, "i|ohw"}, {KernelCut::h_oiw, "h|oiw"},
    {KernelCut::w_oih, "w|oih"}, {KernelCut::oi_hw, "oi|hw"}, {KernelCut::oh_iw, "oh|iw"},
    {KernelCut::ow_ih, "ow|ih"}};

/// The matrix between the two groups of axes. Its full rank is the largest one of the cut, and at
/// rank chi its two factors hold chi (rows + columns) numbers.
MatrixShape cut_shape(KernelCut cut, const KernelShape& shape);

}  // namespace rankine::weights
