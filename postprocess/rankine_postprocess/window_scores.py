"""A language model's loss on each window of a text, and two models on the same windows: how much worse one is, how surely."""

from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path

import numpy as np

from .errors import InputError
from .result import RESULTS, Result, made_of_result
from .wording import count

_NORMAL = 1.959963984540054  # quantile of the normal distribution, for 95 %
_LARGEST = 1e6  # nat


@dataclass(frozen=True)
class WindowScores:
    """Of the model in the end; NaN where a window is not scored."""

    path: Path
    title: str
    model: str
    protocol: str  # text and windows, as the file has them
    loss: np.ndarray  # [windows], nat a token
    tokens: np.ndarray  # [windows], that were scored; ones where the file does not say
    divergence: np.ndarray | None = None  # [windows], from the reference model, nat a token

    @property
    def mean_loss(self) -> float:
        done = np.isfinite(self.loss)
        return float(np.average(self.loss[done], weights=self.tokens[done])) if done.any() else np.nan

    @property
    def perplexity(self) -> float:
        return exp(self.mean_loss) if self.mean_loss < 700 else np.inf


@dataclass(frozen=True)
class WindowComparison:
    """The second less the first, nat a token."""

    first: WindowScores
    second: WindowScores
    difference: float
    reach: float  # of the interval of 95 %; NaN for fewer than four windows
    worse: int  # windows on which the second has the larger loss


def read_window_scores(path: str | Path, *, allow_partial: bool = False) -> WindowScores:
    """Raises InputError as rankine_postprocess.open does, and for files without losses of windows."""
    return made_of_result(path, window_scores, allow_partial=allow_partial)


def window_scores(result: Result) -> WindowScores:
    """Of a file that was read."""
    about = result.groups.get(RESULTS, {})
    here = result.in_group(RESULTS)
    loss = next((here[name].values for name in ("negative_log_likelihood", "negative_log_likelihood_after") if name in here), None)
    if loss is None:
        raise InputError(f"{result.path}: the file holds no losses of windows of a text. Set evaluate.text in its deck.")
    tokens = here["window_scored_tokens"].values if "window_scored_tokens" in here else np.ones(loss.shape)
    divergence = here["window_kl_divergence"].values if "window_kl_divergence" in here else None
    _require_sound(result, loss, tokens, divergence)
    words = [f"{about['text']}: {count(len(loss), 'window')} of {about.get('window_length')} tokens"] if "text" in about else []
    protocol = str(about.get("evaluation") or "".join(words))
    model = str(about.get("model", ""))
    return WindowScores(result.path, result.title, model, protocol, loss.astype(float), tokens.astype(float), divergence)


def _require_sound(result: Result, loss: np.ndarray, *others: np.ndarray | None) -> None:
    arrays = [loss, *(one for one in others if one is not None)]
    is_sound = loss.ndim == 1 and loss.size and all(one.shape == loss.shape and one.dtype.kind in "iuf" for one in arrays)
    if not is_sound or any((one < 0).any() or (one[np.isfinite(one)] > _LARGEST).any() for one in arrays) or not others[0].sum() > 0:
        raise InputError(f"{result.path}: the losses of windows are damaged. Run the deck again.")


def compare(first: WindowScores, second: WindowScores) -> WindowComparison:
    """Raises InputError for files of other windows."""
    counts = [one.tokens for one in (first, second) if (one.tokens != 1).any()]
    text = [one.protocol.partition(":")[0] for one in (first, second)]
    if first.loss.shape != second.loss.shape or text[0] != text[1] or (len(counts) == 2 and (counts[0] != counts[1]).any()):
        raise InputError(
            f"{second.path}: scored on other windows than {first.path} ({second.protocol}; {first.protocol}). "
            "Give files of the same windows of the same text."
        )
    both = np.isfinite(first.loss) & np.isfinite(second.loss)
    if not both.any():
        raise InputError(f"{second.path}: no window is scored in both files.")
    gaps, weights = (second.loss - first.loss)[both], (counts[0] if counts else first.tokens)[both]
    mean = float(np.average(gaps, weights=weights))
    return WindowComparison(first, second, mean, _reach(gaps, weights, mean), int((gaps > 0).sum()))


def _reach(gaps: np.ndarray, weights: np.ndarray, mean: float) -> float:
    """Student's interval of a weighted mean, windows taken as independent."""
    n = len(gaps)
    if n < 4:
        return np.nan
    parts = weights / weights.sum()
    deviation = sqrt(float(np.sum(parts**2 * (gaps - mean) ** 2)) * n / (n - 1))
    z, v = _NORMAL, n - 1
    quantile = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)  # Abramowitz and Stegun 26.7.5
    return quantile * deviation


def report(found: WindowComparison) -> str:
    """As text: both perplexities, their ratio, the difference of the losses."""
    low, high = found.difference - found.reach, found.difference + found.reach
    interval = f" ({low:+.6f} to {high:+.6f})" if np.isfinite(found.reach) else ""
    ratio = f" ({exp(low):.6f} to {exp(high):.6f})" if np.isfinite(found.reach) and high < 700 else ""
    windows = len(found.first.loss)
    rows = [
        ("first", f"{found.first.path}: {found.first.model}"),
        ("second", f"{found.second.path}: {found.second.model}"),
        ("text", found.first.protocol or found.second.protocol),
        ("perplexity of the first", f"{found.first.perplexity:.6g}"),
        ("perplexity of the second", f"{found.second.perplexity:.6g}"),
        ("worse with the second", f"{found.worse} of {count(windows, 'window')}"),
        ("loss, second less first", f"{found.difference:+.6f} nat{interval}"),
        ("ratio of perplexities", f"{exp(min(found.difference, 700)):.6f}{ratio}"),
    ]
    return "\n".join([*(f"{name:<24} {text}" for name, text in rows), "interval of 95 % on paired windows (Student)"])
