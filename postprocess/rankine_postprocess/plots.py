"""Which figure a set of result files becomes: by their file type and, for one type, by their content."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from . import accuracy_tradeoff, adapter_curve, bench, bench_bars, cluster_experiments, compression, confusion_map, cut_map
from . import cut_scatter, disentangler_depth, distill_labels, distill_scores, distillation, epoch_curve, figure, healing_curve
from . import layer_map, noise_map, profile_figure, reader
from . import sensitivity_map, slice_epochs, slice_errors, task_figure, team_speed_up, team_time_line, tradeoff, window_figure
from .compression import Compression, read_compression
from .curve_file import read_curve_file
from .curves import Axis
from .distillation import Distillation, read_distillation
from .errors import InputError
from .image_result import OF_IMAGES, read_image_result, type_of
from .observables import choose
from .profile import read_profile
from .reader import read_simulation
from .result import made_of_result
from .window_scores import read_window_scores


@dataclass(frozen=True)
class Request:
    """What the command line says about a figure beside its files."""

    view: str | None = None  # of VIEWS, IMAGE_VIEWS, DISTILL_VIEWS or ANY_VIEWS; None for the content to decide
    observable: str | None = None
    step: int | None = None
    against: str | None = None
    overlays: tuple[str, ...] = ()
    allow_partial: bool = False


@dataclass(frozen=True)
class View:
    """A figure of compressed models: what the content must be to choose it, and how it is drawn."""

    is_natural: Callable[[list], bool]
    draw: Callable[[list], Figure]


def _of_one(draw: Callable[..., Figure]) -> Callable[[list], Figure]:
    def draw_one(results: list) -> Figure:
        if len(results) > 1:
            raise InputError("this figure is of one file. Give one, or choose another --view.")
        return draw(results[0])

    return draw_one


# Of language models; the first natural one is drawn.
VIEWS: dict[str, View] = {
    "experiments": View(lambda files: len(files) == 1 and files[0].experiments is not None,
                        _of_one(cluster_experiments.draw)),
    "sensitivity": View(lambda files: len(files) == 1 and files[0].sensitivity is not None,
                        _of_one(sensitivity_map.draw)),
    "noise-map": View(lambda files: all(f.noise is not None for f in files), noise_map.draw),
    "adapters": View(lambda files: all(f.adapter is not None for f in files) and (len(files) > 1 or not files[0].weights),
                     adapter_curve.draw),
    "disentanglers": View(lambda files: len(files) > 1 and any(map(disentangler_depth.has_gates, files)), disentangler_depth.draw),
    "tradeoff": View(lambda files: len(files) > 1, tradeoff.draw),
    "layers": View(lambda files: bool(files[0].weights), _of_one(layer_map.draw)),
    "healing": View(lambda files: files[0].healing_loss is not None, healing_curve.draw),
}  # fmt: skip
# Of image networks.
IMAGE_VIEWS: dict[str, View] = {
    "cuts": View(lambda files: len(files) == 1 and files[0].cuts is not None, _of_one(cut_map.draw)),
    "norm-loss": View(lambda files: False, _of_one(cut_scatter.draw)),
    "epochs": View(lambda files: all(f.epoch is not None and not f.is_from_scratch for f in files), epoch_curve.draw),
    "accuracy": View(lambda files: len(files) > 1, accuracy_tradeoff.draw),
    "confusion": View(lambda files: files[0].confusion is not None, _of_one(confusion_map.draw)),
}
# Of distilled networks, which have the views of compressed ones besides.
DISTILL_VIEWS: dict[str, View] = {
    "slices": View(lambda files: len(files) == 1 and bool(files[0].slices), _of_one(slice_errors.draw)),
    "speed-up": View(lambda files: _differ_alone(files, distill_labels.teams, distill_labels.group_by_run), team_speed_up.draw),
    "images": View(lambda files: _differ_alone(files, distill_labels.samples, distill_labels.group_by_size),
                   distill_scores.draw_against_samples),
    "accuracy": View(lambda files: len(files) > 1, distill_scores.draw_against_size),
    "time-line": View(lambda files: False, _of_one(team_time_line.draw)),
    "slice-epochs": View(lambda files: False, _of_one(slice_epochs.draw)),
}  # fmt: skip


def _differ(files: list[Distillation], what: Callable[[Distillation], object]) -> bool:
    return len({what(file) for file in files}) > 1


def _differ_alone(files: list[Distillation], what: Callable[[Distillation], int], group: Callable[[list], dict]) -> bool:
    """Whether files that are alike otherwise differ in this."""
    return any(_differ(alike, what) for alike in group(files).values())


def draw(files: list[str], request: Request) -> Figure:
    """The figure of these files. Raises InputError for files of different or unknown types."""
    if request.view in ANY_VIEWS:
        _refuse_options_of_simulations(request)
        return ANY_VIEWS[request.view](files, request)
    types = {type_of(file): file for file in files}
    if distillation.FILETYPE in types:  # compressions may stand beside them
        types = {kind: file for kind, file in types.items() if kind not in (OF_IMAGES, compression.FILETYPE)}
    if len(types) > 1:
        raise InputError(f"the files are of different types ({', '.join(sorted(types))}). Draw them apart.")
    (filetype, file), = types.items()  # fmt: skip
    if filetype not in _DRAWERS:
        raise InputError(f"{file}: filetype is '{filetype}' (plot draws {', '.join(_DRAWERS)}).")
    return _DRAWERS[filetype](files, request)


def _draw_simulations(files: list[str], request: Request) -> Figure:
    if request.view:
        raise InputError(f"--view {request.view} is for files of {compression.FILETYPE}. Drop it.")
    simulations = [read_simulation(file, allow_partial=request.allow_partial) for file in files]
    overlays = [figure.Overlay(Path(file).stem, *read_curve_file(file)) for file in request.overlays]
    axis = Axis(request.against) if request.against else None
    observable = choose(simulations, request.observable)
    return figure.draw(simulations, observable, step=request.step, axis=axis, overlays=overlays)


def _draw_compressions(files: list[str], request: Request) -> Figure:
    return _draw_view(VIEWS, "language models", _read_all(read_compression, files, request), request)


def _draw_images(files: list[str], request: Request) -> Figure:
    return _draw_view(IMAGE_VIEWS, OF_IMAGES, _read_all(read_image_result, files, request), request)


def _draw_distillations(files: list[str], request: Request) -> Figure:
    results = _read_all(read_distillation, files, request)
    if _differ(results, lambda result: result.is_of_images):
        raise InputError("some of the files are of image networks and others of language models. Draw them apart.")
    is_of_images = results[0].is_of_images
    views = DISTILL_VIEWS | {name: _of_network(view) for name, view in (IMAGE_VIEWS if is_of_images else VIEWS).items()
                             if name not in DISTILL_VIEWS}  # fmt: skip
    return _draw_view(views, f"distilled {OF_IMAGES if is_of_images else 'language models'}", results, request)


def _of_network(view: View) -> View:
    """The view of a compression, for what a distillation says too."""

    def networks(files: list[Distillation]) -> list:
        return [file.network for file in files]

    return View(lambda files: view.is_natural(networks(files)), lambda files: view.draw(networks(files)))


def _draw_windows(files: list[str], request: Request) -> Figure:
    return window_figure.draw(_read_all(read_window_scores, files, request))


def _draw_tasks(files: list[str], request: Request) -> Figure:
    return task_figure.draw(_read_all(task_figure.read_task_scores, files, request))


def _draw_evaluations(files: list[str], request: Request) -> Figure:
    """Losses of windows, or tasks where there are none."""
    has_windows = made_of_result(files[0], lambda result: "negative_log_likelihood" in result)
    return (_draw_windows if has_windows else _draw_tasks)(files, request)


def _draw_timing(files: list[str], request: Request) -> Figure:
    return profile_figure.draw(_read_all(read_profile, files, request))


def _draw_factorisations(files: list[str], request: Request) -> Figure:
    _refuse_options_of_simulations(request)
    return bench.draw(bench.read_measurements(files))


def _draw_benchmarks(files: list[str], request: Request) -> Figure:
    _refuse_options_of_simulations(request)
    return bench_bars.draw(files, allow_partial=request.allow_partial)


def _refuse_options_of_simulations(request: Request) -> None:
    if request.observable or request.step is not None or request.against or request.overlays:
        raise InputError("--observable, --step, --against and --overlay are for files of rankine-simulate. Drop them.")


def _read_all(read_one: Callable, files: list[str], request: Request) -> list:
    _refuse_options_of_simulations(request)
    return [read_one(file, allow_partial=request.allow_partial) for file in files]


def _draw_view(views: dict[str, View], what: str, results: list, request: Request) -> Figure:
    """The view that was asked for, or else the first natural one."""
    if request.view and request.view not in views:
        raise InputError(f"--view {request.view} is not of {what} (their views are {', '.join(views)}). Choose one of them.")
    if request.view:
        return views[request.view].draw(results)
    for view in views.values():
        if view.is_natural(results):
            return view.draw(results)
    raise InputError(f"{results[0].path}: the file holds nothing to draw yet.")


_DRAWERS = {
    reader.FILETYPE: _draw_simulations,
    compression.FILETYPE: _draw_compressions,
    OF_IMAGES: _draw_images,
    distillation.FILETYPE: _draw_distillations,
    "rankine-evaluate": _draw_evaluations,  # of language models
    bench.FILETYPE: _draw_factorisations,
    "rankine-bench-gpeps": _draw_benchmarks,
    "rankine-bench-images": _draw_benchmarks,
    "rankine-bench-models": _draw_benchmarks,
}
# Of files of any kind, or of several kinds.
ANY_VIEWS = {"timing": _draw_timing, "windows": _draw_windows, "tasks": _draw_tasks}
