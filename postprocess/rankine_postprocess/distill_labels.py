"""Words on figures of slice-wise distillation: modes, sizes, names of slices, titles and footers."""

import re

from . import compression_labels, image_labels
from .compression_labels import group_by
from .distillation import Distillation
from .labels import plain
from .wording import shortened

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D1F", "#56B4E9", "#5B3F8C", "#333333", "#E69F00", "#7A9E9F")
MARKERS = "osD^vP*Xh<>p"
_SIZES = {"ranks.parameter_ratio", "ranks.bond_dimension", "ranks.rank_fraction", "ranks.tucker", "method.clusters"}
_SAMPLES = {"data.training_images", "calibration.images", "calibration.gradient_images", "calibration.windows",
            "calibration.gradient_windows", "distill.epochs"}  # fewer samples, more passes  # fmt: skip
# What tells nothing of the method: seeds, and what is only looked at.
_IDLE = {"distill.mode", "distill.seed", "distill.fail_on_divergence", "distill.score_slices"}
_LOCAL_ONLY = {"distill.learning_rates", "distill.held_out"}
_GLOBAL_ONLY = {"distill.targets", "distill.global_epochs", "distill.global_learning_rate"}
_SECTIONS = ("model", "data", "select", "calibration", "method", "ranks", "slices", "distill")
_FORMS = {"tucker": "Tucker", "mpo": "matrix product", "low-rank": "low rank"}
_LONG_PLACES = re.compile(r"^(?:model\.layers\.|transformer\.h\.|layers\.|h\.|layer(?=\d))")


def method(result: Distillation) -> str:
    """Mode and form: "local, Tucker"; of a compression what its own figures say."""
    if not result.mode:
        labels = image_labels if result.is_of_images else compression_labels
        return f"compression: {labels.method(result.network)}"
    form = str(result.setting("method.form", ""))
    return ", ".join(filter(None, [result.mode, shortened(_FORMS.get(form, form))]))


def size(result: Distillation) -> str:
    """What of the deck decides how much is kept: "ratio 0.5"."""
    if result.is_of_images:
        return image_labels.size(result.network)
    words = compression_labels.size(result.network)
    return words if " " in words else f"ratio {words}"


def group_by_method(results: list[Distillation]) -> dict[str, list[Distillation]]:
    """Label -> files that differ in nothing but how much they keep, and in the seed."""
    return group_by(results, method, _settings)


def group_by_size(results: list[Distillation]) -> dict[str, list[Distillation]]:
    """Label -> files that differ in nothing but the samples and how often they pass, and in the seed."""
    return group_by(results, _sized, lambda r: {key: value for key, value in _all_settings(r).items() if key not in _SAMPLES})


def group_by_run(results: list[Distillation]) -> dict[str, list[Distillation]]:
    """Label -> files that differ in nothing but ranks and teams, and in the seed."""
    return group_by(results, _sized, _all_settings)


def _sized(result: Distillation) -> str:
    return ", ".join(filter(None, [method(result), size(result)]))


def _all_settings(result: Distillation) -> dict[str, str]:
    return _settings(result) | {keyword: str(result.setting(keyword, "")) for keyword in _SIZES}


def _settings(result: Distillation) -> dict[str, str]:
    """The keywords that tell methods apart; those of stages that did not run do not."""
    if not result.mode:
        labels = image_labels if result.is_of_images else compression_labels
        return labels.settings(result.network) | {"distill.mode": ""}
    unused = _SIZES | _IDLE
    if result.mode == "local":
        unused = unused | _GLOBAL_ONLY
    if result.mode == "global":
        unused = unused | _LOCAL_ONLY | {"distill.global_epochs", "distill.global_learning_rate"}
    sections = [s for s in _SECTIONS if not (s == "slices" and result.mode == "global")
                and not (s in ("slices", "distill") and result.mode == "fit-only")]  # fmt: skip
    found = {f"{section}.{keyword}": str(value) for section in sections for keyword, value in result.deck.get(section, {}).items()}
    return {"distill.mode": result.mode} | {key: value for key, value in found.items() if key not in unused}


def teams(result: Distillation) -> int:
    """0 where no slice was trained."""
    return 0 if result.local is None else result.local.teams


def samples(result: Distillation) -> int:
    """That training saw, held out ones included; 0 where the file does not tell."""
    if result.local is not None:
        return result.local.samples + result.local.held_out
    said = result.setting("data.training_images" if result.is_of_images else "calibration.windows", 0)
    return said if isinstance(said, int) and 0 < said < 2**53 else 0


def network(result: Distillation) -> str:
    """The network in a word or two, for titles."""
    named = result.network
    return image_labels.network(named) if result.is_of_images else plain(shortened(named.model or "language model"))


def title(results: list[Distillation], otherwise: str) -> str:
    """The deck's title where there is one only."""
    return compression_labels.title([result.network for result in results], otherwise)


def footer(results: list[Distillation], *more: str) -> str:
    return compression_labels.footer([result.network for result in results], *more)


def score(result: Distillation, value: float) -> str:
    """An accuracy or a perplexity in words."""
    return f"{100 * value:.2f} %" if result.is_of_images else f"{value:.4g}"


def short_names(names: list[str]) -> list[str]:
    """Names of slices without what all layers of a network share: "29", "1.0", "1.0 to 1.2"."""
    found = [" to ".join(_LONG_PLACES.sub("", part) for part in name.split("-")) for name in names]
    return [plain(shortened(name, 16)) for name in found]


def shared_prefix(names: list[str]) -> str:
    """What short names leave out where it is the same of most: "model.layers."."""
    left_out = [match[0] for match in map(_LONG_PLACES.match, names) if match]
    return max(set(left_out), key=left_out.count) if left_out else ""
