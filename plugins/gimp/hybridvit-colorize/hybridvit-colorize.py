#!/usr/bin/env python3
"""hybridvit in GIMP 3: Colors > Colorize photograph.

Copy or link the folder `hybridvit-colorize` into GIMP's folder of plug-ins and start `hybridvit serve`. Where you know
a colour, paint it on a transparent layer named "hints". The result is a layer of its own over the photograph, in the
mode "LCh color": that takes hue and chroma from it, and the lightness (CIE L) from the untouched photograph below. "HSL
color" would keep (max + min) / 2 of red, green and blue, in which a blue is as light as a yellow: it changes tones.
"""

import sys
import tempfile
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gimp, GimpUi, Gio, GLib, GObject  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from service import ServiceError, color_photo  # noqa: E402

NAME = "python-fu-hybridvit-colorize"
HINTS, COLORS = "hints", "hybridvit colours"  # names of layers


class Colorize(Gimp.PlugIn):
    """One procedure."""

    def do_query_procedures(self):
        """Their names."""
        return [NAME]

    def do_create_procedure(self, name):
        """With its arguments, from which GIMP makes the dialog."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_menu_label("Colorize _photograph (hybridvit)...")
        procedure.add_menu_path("<Image>/Colors")
        procedure.set_documentation(
            "Colours a grayscale photograph",
            f'Where you know a colour, paint it on a transparent layer named "{HINTS}". Asks `hybridvit serve`.',
            name,
        )
        procedure.set_attribution("hybridvit", "hybridvit", "2026")
        flags = GObject.ParamFlags.READWRITE
        text, number = procedure.add_string_argument, procedure.add_double_argument
        text("address", "_Address", "of hybridvit serve", "http://127.0.0.1:8392", flags)
        text("token", "_Token", "if it is asked for", "", flags)
        number("strength", "_Strength", "of the colours; 0 is gray", 0.0, 10.0, 1.0, flags)
        return procedure


def run(procedure, run_mode, image, drawables, config, data):
    """What the menu calls."""
    if run_mode == Gimp.RunMode.INTERACTIVE:
        GimpUi.init(NAME)
        dialog = GimpUi.ProcedureDialog.new(procedure, config, "Colorize photograph")
        dialog.fill(None)
        agreed = dialog.run()
        dialog.destroy()
        if not agreed:
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)
    try:
        with tempfile.TemporaryDirectory(prefix="hybridvit-") as folder:
            _color(image, config, Path(folder))
    except (ServiceError, OSError) as error:
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(error)))
    Gimp.displays_flush()
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


def _color(image, config, folder):
    values = [config.get_property(name) for name in ("address", "token")]
    Gimp.progress_init("Colours...")
    photo = _saved(
        image, lambda layer: layer.get_visible() and layer.get_name() not in (HINTS, COLORS), folder
    )
    if photo is None:
        raise ServiceError("there is no visible layer with a photograph")
    hints = _saved(image, lambda layer: layer.get_name() == HINTS, folder)
    colored = folder / "colored.png"
    colored.write_bytes(color_photo(*values, photo, hints, config.get_property("strength")))
    image.undo_group_start()
    try:
        if image.get_base_type() == Gimp.ImageBaseType.GRAY:
            image.convert_rgb()  # a gray image holds no colours; its values stay
        for layer in image.get_layers():
            if layer.get_name() == COLORS:
                image.remove_layer(layer)
        loaded = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(colored)))
        loaded.set_name(COLORS)
        loaded.set_mode(Gimp.LayerMode.LCH_COLOR)
        painted = [place for place, layer in enumerate(image.get_layers()) if layer.get_name() == HINTS]
        image.insert_layer(loaded, None, painted[0] + 1 if painted else 0)
        for layer in image.get_layers():
            if layer.get_name() == HINTS:
                layer.set_visible(False)  # they are in the colours now
    finally:
        image.undo_group_end()


def _saved(image, wanted, folder):
    """A PNG of those layers alone, of the whole canvas; None where there is none. The image itself stays."""
    copy = image.duplicate()
    try:
        kept = 0
        for layer in copy.get_layers():
            layer.set_visible(bool(wanted(layer)))
            kept += layer.get_visible()
        if not kept:
            return None
        merged = copy.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE)
        merged.resize_to_image_size()
        for layer in copy.get_layers():
            if not layer.get_visible():
                copy.remove_layer(layer)
        path = folder / "layer.png"
        Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, copy, Gio.File.new_for_path(str(path)), None)
        return path.read_bytes()
    finally:
        copy.delete()


Gimp.main(Colorize.__gtype__, sys.argv)
