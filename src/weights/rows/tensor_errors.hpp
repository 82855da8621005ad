// What errors of libtorch mean to the user.
#pragma once

namespace rankine::weights {

/// From now on failures of libtorch are told like our own, without the frames of its stack: memory
/// that does not suffice as ResourceError, a factorisation that fails as NumericalError, others as
/// LibraryError. For main; every room's failures pass parallel::describe_failure.
void translate_tensor_errors();

}  // namespace rankine::weights
