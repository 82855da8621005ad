// Image networks: decks with the images, labels and splits that they name, and files of layers.
#include "../npy_bytes.hpp"
#include "deck/read.hpp"
#include "decks.hpp"
#include "files/json_document.hpp"
#include "models/evaluation/image_evaluation.hpp"
#include "targets.hpp"

namespace rankine::fuzz {

namespace fs = std::filesystem;

namespace {

/// `here` stands for the folder of the files.
constexpr const char* deck_of_one_file = R"([model]
path = "here/linear.safetensors"
architecture = "plain"
layers = "here/layers.json"
[data]
images = "here/bytes.npy"
labels = "here/labels.npy"
layout = "nhw"
mean = [0.5]
std = [0.25]
good_class = 0
test_split = "here/numbers.npy"
validation_fraction = 0.5
split_seed = 3
noise = 0.1
[evaluate]
batch_size = 3
write_logits = true
target_escape = 0.1
[output]
file = "out.h5"
)";

constexpr const char* deck_of_two_files = R"([model]
path = "here/linear.safetensors"
architecture = "plain"
layers = "here/layers.json"
[data]
test_images = "here/floats.npy"
test_labels = "here/labels.npy"
images = "here/bytes.npy"
labels = "here/labels.npy"
validation_split = "here/mask.npy"
training_images = 4
[output]
file = "out.h5"
)";

/// One linear layer of images of 2 x 2 pixels, two classes.
constexpr const char* linear_layers =
    R"({"layers": [{"type": "flatten"}, {"type": "linear", "name": "fc", "outputs": 2, "bias": false}]})";

std::string linear_weights() {
  const std::string header = R"({"fc.weight":{"dtype":"F32","shape":[2,4],"data_offsets":[0,32]}})";
  std::string bytes;
  for (int byte = 0; byte < 8; ++byte)
    bytes += static_cast<char>(header.size() >> (8 * byte) & 0xff);
  return bytes + header + std::string(32, '\0');
}

template <class T>
void write_array(const fs::path& path, const std::string& type, const std::string& shape,
                 const std::vector<T>& values) {
  write_file(path, npy_of(npy_dictionary(type, shape), bytes_of(values)));
}

void write_inputs(const fs::path& folder) {
  write_array(folder / "bytes.npy", "|u1", "(8, 2, 2)", std::vector<std::uint8_t>(32, 7));
  write_array(folder / "floats.npy", "<f4", "(8, 1, 2, 2)", std::vector<float>(32, 0.5f));
  write_array(folder / "labels.npy", "<i8", "(8,)",
              std::vector<std::int64_t>{0, 1, 0, 1, 1, 0, 1, 0});
  write_array(folder / "numbers.npy", "<i4", "(3,)", std::vector<std::int32_t>{5, 1, 0});
  write_array(folder / "mask.npy", "|b1", "(8,)",
              std::vector<std::uint8_t>{0, 0, 1, 1, 0, 0, 0, 0});
  write_file(folder / "linear.safetensors", linear_weights());
  write_file(folder / "layers.json", linear_layers);
}

std::string in_folder(std::string text, const fs::path& folder) {
  const std::string here = "here/";
  for (auto at = text.find(here); at != text.npos; at = text.find(here, at + 1))
    text.replace(at, here.size(), folder.string() + "/");
  return text;
}

void read_deck(const std::string& input, const fs::path& folder) {
  write_inputs(folder);
  const std::string text = in_folder(input, folder);
  models::EvaluateOptions options;
  deck::Schema schema;
  models::declare_keywords(schema, options);
  deck::read_text(schema, text, "deck.toml", overrides_in(text));
  if (options.model.is_image_network()) models::prepare_image_evaluation(options);
}

void read_layers(const std::string& input, const fs::path& folder) {
  const fs::path file = write_file(folder / "layers.json", input);
  models::parse_plan(files::read_json(file), file, {3, 32, 32});
}

}  // namespace

Target image_decks() {
  Target target{.name = "images",
                .seeds = {deck_of_one_file, deck_of_two_files},
                .words = words_of_decks(),
                .read = read_deck};
  for (const char* word : {"\"here/bytes.npy\"", "\"here/floats.npy\"", "\"here/labels.npy\"",
                           "\"here/mask.npy\"", "\"here/numbers.npy\"", "\"nhwc\"", "\"resnet-18\"",
                           "\"cifar-resnet-8\"", "test_fraction = 0.3"})
    target.words.push_back(word);
  return target;
}

Target image_layers() {
  return {
      .name = "layers",
      .seeds = {linear_layers,
                R"({"layers": [{"type": "convolution", "name": "a", "outputs": 6, "kernel": [3, 5],
"stride": [2, 1], "padding": [1, 2], "dilation": 2, "groups": 3, "bias": true},
{"type": "batch-norm", "name": "b", "epsilon": 0.001}, {"type": "relu"},
{"type": "max-pool", "kernel": 3, "stride": 2, "padding": 1, "ceil_mode": true},
{"type": "average-pool", "kernel": 2}, {"type": "prelu", "name": "p", "slopes": 6},
{"type": "residual", "body": [{"type": "convolution", "name": "c", "outputs": 8, "kernel": 1, "stride": 2}],
"shortcut": [{"type": "subsample", "outputs": 8, "stride": 2}]},
{"type": "global-pool"}, {"type": "flatten", "order": "hwc"},
{"type": "linear", "name": "fc", "outputs": 10}]})"},
      .words = {"\"stride\": 0,", "\"kernel\": [0, 3],", "\"kernel\": 1000000,",
                "\"padding\": 999999,", "\"dilation\": 1000000,", "\"groups\": 4,",
                "\"outputs\": 1000000,", "\"slopes\": 7,", "\"body\": [],", "null", "-1", "1e300",
                "{\"type\": \"global-pool\"},", "{\"type\": \"flatten\"},", "\"ceil_mode\": 1,"},
      .read = read_layers};
}

}  // namespace rankine::fuzz
