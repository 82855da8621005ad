#include "weights/rows/tensor_errors.hpp"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <optional>
#include <string>

#include "parallel/agreement.hpp"

namespace rankine::weights {

namespace {

/// Its message in one line; the frames are in what() alone.
std::string message_of(const c10::Error& error) {
  const std::string& text = error.msg();
  return text.substr(0, text.find('\n'));
}

bool lacks_memory(const std::string& message) {
  for (const char* words : {"can't allocate memory", "not enough memory", "out of memory"})
    if (message.find(words) != std::string::npos) return true;
  return false;
}

std::optional<parallel::Failure> failure_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const c10::LinAlgError& error) {
    return parallel::Failure{
        ExitCode::numerical,
        fmt::format("a factorisation failed ({}). Check the model and the calibration text.",
                    message_of(error))};
  } catch (const c10::Error& error) {
    const std::string message = message_of(error);
    if (lacks_memory(message))
      return parallel::Failure{ExitCode::resource,
                               fmt::format("Out of memory (libtorch: {}). Use more nodes, fewer "
                                           "ranks per node or a smaller problem.",
                                           message)};
    return parallel::Failure{
        ExitCode::library,
        fmt::format("libtorch failed ({}). Please report this with the deck.", message)};
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace

void translate_tensor_errors() { parallel::translate_errors_with(&failure_of); }

}  // namespace rankine::weights
