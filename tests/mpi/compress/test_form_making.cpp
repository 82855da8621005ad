// The table of how a model gets its forms, beside that of the forms.
#include <gtest/gtest.h>

#include "compress/stages/form_making.hpp"

namespace rankine::compress {
namespace {

TEST(FormMaking, HasALineForEveryFormOfAMatrix) {
  for (const weights::FormFacts& form : weights::all_forms()) {
    if (form.sized_by == weights::SizedBy::kernel_ranks ||
        form.sized_by == weights::SizedBy::adapter)
      continue;
    SCOPED_TRACE(form.name);
    const FormMaking& making = making_of(form.value);
    EXPECT_EQ(making.form, form.value);
    EXPECT_NE(making.compress, nullptr);
    EXPECT_NE(making.finish, nullptr);
    EXPECT_EQ(making.of_size == nullptr, form.sized_by == weights::SizedBy::values ||
                                             form.sized_by == weights::SizedBy::units);
  }
}

}  // namespace
}  // namespace rankine::compress
