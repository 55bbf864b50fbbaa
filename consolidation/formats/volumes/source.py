"""Volumes by raters: one file a rater and image, or stacks that hold all raters' masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from consolidation import storage
from consolidation.errors import ConsolidationError, SourceError
from consolidation.formats.class_list import ClassList, read_class_list
from consolidation.formats.files import File, members
from consolidation.formats.manifest_file import ManifestFile, lines_of_images
from consolidation.formats.patterns import (
    PRESETS,
    compile_pattern,
    is_consensus,
    is_picture,
    preset,
)
from consolidation.formats.place import Place
from consolidation.formats.sniff import named
from consolidation.formats.source import Source, SourceOptions
from consolidation.formats.survey import Mask
from consolidation.formats.values import decide_values
from consolidation.formats.volumes.grids import Grid, open_grid
from consolidation.formats.volumes.slices import VolumeSlice
from consolidation.formats.volumes.write import write_volume
from consolidation.masks import MAX_PIXELS, Classes
from consolidation.masks.stored import Stored, of_numbers

CLASSES_FILE, DATASET_FILE = "classes.json", "dataset.json"
NIFTI = (".nii", ".nii.gz")
STACKS = (".npy", ".npz", ".tif", ".tiff", ".bmp", ".webp")
_GUESSES = (
    *(pattern for name in ("qubiq", "msseg", "bids", "longciu") for pattern in PRESETS[name]),
    "{image}/{worker}.nii.gz",
    "{worker}/{image}.nii.gz",
)

Raters = dict[str, File]


class Volumes(Source):
    """NIfTI, TIFF and NumPy volumes."""

    name = "volumes"
    kind = "volumes or arrays (NIfTI, TIFF, NumPy)"
    items: Sequence[VolumeSlice]
    assembles = True

    @classmethod
    def recognises(cls, place: Place) -> bool:
        """Whether NIfTI files are there; TIFF and NumPy files are asked for by `--masks`."""
        return bool(named(place, *NIFTI))

    def __init__(self, place: Place, options: SourceOptions) -> None:
        self._place, self.folder, self._reading = place, place.folder, options.value_reading
        self._notes: list[str] = []
        self._refused: list[str] = []
        self._read_as: dict[str, list[str]] = defaultdict(list)
        images = self._images(place, options)
        if not images:
            raise SourceError(f"{place.uri}: no volumes in it that several raters may have made")
        self.items = [
            item
            for image, raters in sorted(images.items())
            for item in self._slices(image, raters, options.max_pixels or MAX_PIXELS)
        ]
        self.notes = self._notes
        for how, read in self._read_as.items():
            others = f" and {len(read) - 1:,} more" if len(read) > 1 else ""
            self.notes.append(f"read as {how}, by the first axis: {read[0]}{others}")
        if options.manifest is not None:
            self.manifest = ManifestFile(options.manifest)
            lines = lines_of_images(self.manifest, self.ids, place.uri)
            self.items = [replace(item, line=lines.get(item.id)) for item in self.items]

    def _images(self, place: Place, options: SourceOptions) -> dict[str, Raters]:
        """Raters' files by image."""
        if place.entries is None:
            name = place.uri.replace("\\", "/").rpartition("/")[2]
            return {name.partition(".")[0]: self._stack(place.uri)}
        names = named(place, *NIFTI, *STACKS)
        if options.preset:
            patterns: Sequence[str] = preset(options.preset)
        elif options.masks != SourceOptions.masks:
            patterns = (options.masks,)
        else:
            patterns = self._guessed(named(place, *NIFTI))
        images: dict[str, Raters] = defaultdict(dict)
        self._used: list[str] = []
        for text in patterns:
            pattern = compile_pattern(text, needs_worker=not text.lower().endswith(STACKS))
            for name in names:
                match = pattern.fullmatch(name)
                if match is None:
                    continue
                self._used.append(name)
                groups, uri = match.groupdict(), place.below(name)
                if "worker" not in groups:
                    images[groups["image"]] |= self._stack(uri)
                elif is_consensus(groups["worker"]) or is_picture(groups["worker"]):
                    self._notes.append(f"{name} is left out: by its name no rater's")
                else:
                    images[groups["image"]][groups["worker"]] = File.unpacked(uri)
        return images

    def _guessed(self, names: Sequence[str]) -> tuple[str]:
        """Pattern by which several raters made one image; SourceError if that cannot be told."""
        best, most = "", 0
        for text in _GUESSES:
            images: dict[str, set[str]] = defaultdict(set)
            for name in names:
                match = compile_pattern(text).fullmatch(name)
                worker = match["worker"] if match else ""
                if match and not is_consensus(worker) and not is_picture(worker):
                    images[match["image"]].add(worker)
            score = sum(len(workers) for workers in images.values() if len(workers) > 1)
            if score > most:
                best, most = text, score
        if not best:
            some = ", ".join(names[:3])
            raise SourceError(
                f"{self._place.uri} holds {some}: say which part is the image and which the rater, "
                "by --masks '{image}/{worker}.nii.gz', or by --preset"
            )
        self._notes.append(f"read by --masks '{best}'")
        return (best,)

    def _stack(self, uri: str) -> Raters:
        """Raters of one file: keys of an archive, or pages."""
        if uri.lower().endswith(".npz"):
            return {
                name.removesuffix(".npy"): File(uri, name)
                for name in members(uri)
                if name.endswith(".npy")
            }
        return {"": File.unpacked(uri)}

    def _slices(self, image: str, raters: Raters, most: int) -> list[VolumeSlice]:
        grids: dict[str, Grid] = {}
        errors = []
        for worker, file in sorted(raters.items()):
            try:
                grids[worker] = open_grid(file, most)
            except ConsolidationError as error:
                errors.append(str(error))
        picture = storage.absolute(next(iter(raters.values())).uri)
        first = next(iter(grids.values()), None)
        self._refused += errors
        if first is None:
            return [VolumeSlice(image, image, (), picture, error="; ".join(errors))]
        self._notes += [f"left out: {error}" for error in errors]
        depth = first.shape[0]
        if depth > 1 and first.kind in ("npy", "tiff"):
            things = "workers' masks" if list(grids) == [""] else "slices"
            how = f"{depth:,} {things} of {first.shape[1]:,} x {first.shape[2]:,} pixels"
            self._read_as[how].append(image)
        if list(grids) == [""]:
            pages = tuple((str(number + 1), first, number) for number in range(depth))
            return [VolumeSlice(image, image, pages, picture, stack=True)]
        for worker, grid in grids.items():
            difference = first.differs(grid)
            if difference:
                pair = f"raters {next(iter(grids))} and {worker}"
                reason = f"{pair} have {difference}; volumes are not resampled"
                self._refused.append(f"{image}: {reason}")
                return [VolumeSlice(image, image, (), picture, error=reason)]
        width = len(str(depth - 1))
        return [
            VolumeSlice(
                image if depth == 1 else f"{image}/{number:0{width}}",
                image,
                tuple((worker, grid, number) for worker, grid in grids.items()),
                picture,
            )
            for number in range(depth)
        ]

    def classes(self) -> Classes:
        """Classes of a class list or nnU-Net's `dataset.json`, else as the values tell them."""
        for name in (CLASSES_FILE, DATASET_FILE):
            beside = self._place.beside(name)
            if beside is not None:
                return self.classes_of(read_class_list(beside))
        return self._decided(None)

    def classes_of(self, listed: ClassList) -> Classes:
        """See `Source`: here, voxels are indices."""
        return self._decided(listed)

    def _decided(self, listed: ClassList | None) -> Classes:
        masks = [
            Mask(worker, f"{grid.file}, slice {number}", partial(_numbers, grid, number))
            for item in self.items
            for worker, grid, number in item.raters
        ]
        if not masks and self._refused:
            raise SourceError(f"{self._place.uri}: no mask in it can be read: {self._refused[0]}")
        decision = decide_values(masks, listed, self._reading, self._place.uri)
        self.notes = [*self.notes, *decision.notes]
        return decision.classes

    def stamp(self) -> str:
        """See `Source`."""
        return self._place.stamp(None if self._place.entries is None else self._used)

    def assemble(self, out: str, mask_of: Callable[[str], Any]) -> list[str]:
        """See `Source`: each image's slices become a volume, with the first rater's grid."""
        written = []
        volumes: dict[str, list[VolumeSlice]] = defaultdict(list)
        for item in self.items:
            if item.raters and not item.stack and item.raters[0][1].kind != "picture":
                volumes[item.image].append(item)
        for image, slices in volumes.items():
            grid = slices[0].raters[0][1]
            written.append(write_volume(out, image, grid, [mask_of(plane.id) for plane in slices]))
        return written


def _numbers(grid: Grid, number: int) -> Stored:
    return of_numbers(grid.slice(number))
