"""Words on figures of image networks: methods, sizes, names of layers."""

from .compression_labels import group_by
from .image_result import ImageResult
from .labels import plain
from .wording import count, shortened

# What decides how much is kept, and what every draw of one method has of its own; all else tells methods apart.
_SIZES = {"ranks.parameter_ratio", "ranks.rank_fraction", "ranks.tucker"}
_DRAWS = {"train.seed", "train.score_every"}
_METHOD_SECTIONS = ("model", "data", "select", "calibration", "method", "ranks", "train")
_FORMS = {"tucker": "Tucker", "mpo": "matrix product", "low-rank": "low rank"}
_WEIGHTINGS = {"none": "unweighted", "full": "norm of the inputs", "two-sided": "two-sided norm"}


def method(result: ImageResult) -> str:
    """In a few words: "Tucker, norm of the inputs, additive, trained 3 epochs"."""
    setting = result.setting
    form = str(setting("method.form", "dense"))
    epochs = setting("train.epochs", 0)
    if form == "dense":
        return "dense" if result.is_from_scratch or not epochs else f"dense, trained {_epochs(epochs)}"
    parts = [f"cut {setting('method.cut', '')}" if form == "cut" else _FORMS.get(form, form)]
    if result.is_from_scratch:
        return f"{parts[0]} from scratch"
    weighting = str(setting("method.weighting", "none"))
    if form != "cut":
        parts.append(_WEIGHTINGS.get(weighting, weighting))
        parts.append(_allocation(result))
    if epochs:
        parts.append(f"trained {_epochs(epochs)}")
    return ", ".join(shortened(str(part)) for part in parts if part)


def _epochs(number) -> str:
    return count(number, "epoch") if isinstance(number, int) else shortened(str(number))


def _allocation(result: ImageResult) -> str:
    allocation = str(result.setting("ranks.allocation", ""))
    weights = str(result.setting("ranks.error_weights", "none"))
    if allocation != "additive" or weights == "none":
        return allocation
    return "additive by gradients" if weights == "output-gradient" else f"additive, {weights}"


def described(result: ImageResult) -> str:
    """Network, program and method, as far as the file says them."""
    return ", ".join(filter(None, [network(result), result.program, result.method]))


def size(result: ImageResult) -> str:
    """What of the deck decides how much is kept: "ratio 0.5", "0.5 of the rank", "ranks 16 x 16"."""
    setting = result.setting
    if str(setting("method.form", "dense")) == "dense":
        return ""
    if ranks := setting("ranks.tucker", []):
        return f"ranks {' x '.join(map(str, ranks))}" if isinstance(ranks, list) else shortened(str(ranks))
    if fraction := setting("ranks.rank_fraction", 0):
        return shortened(f"{fraction} of the rank")
    return shortened(f"ratio {setting('ranks.parameter_ratio', 1)}")


def group_by_method(results: list[ImageResult]) -> dict[str, list[ImageResult]]:
    """Label -> files that differ in nothing but how much they keep, and in the seed of the training."""
    return group_by(results, method, settings)


def settings(result: ImageResult) -> dict[str, str]:
    """The keywords that tell methods apart; where nothing is calibrated or trained, not how."""
    is_dense = result.setting("method.form", "dense") == "dense"
    unused = set()
    if is_dense:
        unused |= {"select", "calibration", "ranks"}
    if not result.setting("train.epochs", 0):
        unused.add("train")
    found = {"method.form": str(result.setting("method.form", "dense"))}
    for section in _METHOD_SECTIONS:
        if section in unused or (section == "method" and is_dense):
            continue
        for keyword, value in result.deck.get(section, {}).items():
            if f"{section}.{keyword}" not in _SIZES | _DRAWS:
                found[f"{section}.{keyword}"] = str(value)
    return found


def network(result: ImageResult) -> str:
    """The network in a word or two, for titles."""
    return plain(shortened(result.model or result.architecture))


def short_layers(names: list[str]) -> list[str]:
    """Names of layers as they stand beside the rows of a map."""
    return [plain(shortened(name.removeprefix("layer"), 24)) for name in names]
