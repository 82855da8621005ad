// Shared values of a whole matrix in the norm of second moments: a codebook for every few rows.
//
// The error of row i is c_i e^T H e with H the second moment of the inputs, or of the part of the
// rows that i is in, and c_i what the row counts. Codebooks begin with exact K-means under the
// diagonal of H. Rounds then alternate between the best values for given codes, in closed form, and
// coordinate descent over the codes, column by column (LNQ, arXiv:2505.07004). The error never
// rises.
#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/named_values.hpp"
#include "weights/forms/factor_cost.hpp"
#include "weights/storage/outliers.hpp"

namespace rankine::weights {

/// Which entries stay out of the codebooks.
enum class OutlierChoice { magnitude, sensitivity, error };

/// With their names in decks.
inline constexpr std::array outlier_choice_names{
    Named<OutlierChoice>{OutlierChoice::magnitude, "magnitude"},
    Named<OutlierChoice>{OutlierChoice::sensitivity, "sensitivity"},
    Named<OutlierChoice>{OutlierChoice::error, "error"}};

/// The first codes: the nearest values, or those of a pass that hands errors on to later columns.
enum class CodeStart { nearest, compensated };

/// With their names in decks.
inline constexpr std::array code_start_names{
    Named<CodeStart>{CodeStart::nearest, "nearest"},
    Named<CodeStart>{CodeStart::compensated, "compensated"}};

struct CodebookOptions {
  std::int64_t clusters = 16;
  std::int64_t rows_per_book = 1;  ///< of all books but the last, which may have fewer
  /// Entries of the matrix that get values of their own; a few more where that makes the gaps
  /// between them short enough for two bytes each.
  std::int64_t outliers = 0;
  OutlierChoice outlier_choice = OutlierChoice::magnitude;
  std::int64_t rounds = 3;               ///< 0 for K-means alone
  std::int64_t sweeps = 4;               ///< over the columns in a round
  CodeStart start = CodeStart::nearest;  ///< of the rounds
};

/// What the errors of a matrix (m x n) count, in float64.
struct RowNorm {
  /// H, n x n and positive definite, or its diagonal where there are no rounds; one for all rows,
  /// or several for as many parts of the rows in turn (RowSplit::even). Empty for the identity.
  std::vector<torch::Tensor> moments = {};
  torch::Tensor row_weights = {};  ///< c, m numbers; undefined for 1
  /// C, m x m and positive definite, beside one moment: rows count together, the error is
  /// tr(C E H E^T), and row_weights say nothing.
  torch::Tensor outputs = {};
};

struct Codebooks {
  std::int64_t rows_per_book = 1;
  torch::Tensor values;        ///< books x clusters, float64
  torch::Tensor codes;         ///< m x n, int32; 0 for outliers
  Outliers outliers;           ///< values in float64
  std::vector<double> errors;  ///< squared: of K-means or the compensated start, after each round
};

/// Rows that share a codebook where about `wanted` shall; all books but the last have as many.
std::int64_t even_book_rows(std::int64_t rows, std::int64_t wanted);

/// Bytes that store codebooks of a matrix, its codes and outliers, at most; numbers take
/// `number_bytes`.
std::int64_t most_stored_bytes(const MatrixShape& shape, const CodebookOptions& options,
                               std::int64_t number_bytes);

/// Not collective; the same for any number of threads. w: float64.
Codebooks make_codebooks(const torch::Tensor& w, const RowNorm& norm,
                         const CodebookOptions& options);

/// Squares in the norm: of the error of the matrix that the codebooks stand for, and of w.
struct SquaredError {
  double error = 0;
  double whole = 0;

  /// 0 where nothing counts.
  double relative() const;
};
SquaredError squared_error(const torch::Tensor& w, const RowNorm& norm, const Codebooks& books);

}  // namespace rankine::weights
