"""What the plug-in uses of GIMP 3, by the names and arguments that its API reference publishes (libgimp 3.0).

GIMP 3 is in no package registry of Debian 12 or PyPI. Pictures are RGBA arrays of 8 bit; the mode "LCh color" is as
GIMP defines it: the lightness of what is below, a and b of the layer.
"""

import enum
import types

import numpy as np
from PIL import Image as Pillow
from skimage import color


class RunMode(enum.Enum):
    INTERACTIVE, NONINTERACTIVE = range(2)


class PDBProcType(enum.Enum):
    PLUGIN = 1


class PDBStatusType(enum.Enum):
    EXECUTION_ERROR, SUCCESS, CANCEL = 0, 3, 4


class ImageBaseType(enum.Enum):
    RGB, GRAY = range(2)


class MergeType(enum.Enum):
    CLIP_TO_IMAGE = 1


class LayerMode(enum.Enum):
    NORMAL, LCH_COLOR = 28, 26


class PlugIn:
    __gtype__ = "GType"


class ImageProcedure:
    @classmethod
    def new(cls, plug_in, name, proc_type, run_func, run_data):
        procedure = cls()
        procedure.run_func, procedure.said, procedure.defaults = run_func, {"name": name}, {}
        return procedure

    def set_image_types(self, image_types):
        self.said["types"] = image_types

    def set_menu_label(self, menu_label):
        self.said["label"] = menu_label

    def add_menu_path(self, menu_path):
        self.said["path"] = menu_path

    def set_documentation(self, blurb, help, help_id):
        self.said["blurb"] = blurb

    def set_attribution(self, authors, copyright, date):
        self.said["authors"] = authors

    def add_string_argument(self, name, nick, blurb, value, flags):
        self.defaults[name] = value

    def add_double_argument(self, name, nick, blurb, min, max, value, flags):
        assert min <= value <= max
        self.defaults[name] = value

    def new_return_values(self, status, error):
        return status, error and error.message


class Layer:
    def __init__(self, name, rgba, x=0, y=0, mode=LayerMode.NORMAL):
        self.name, self.rgba, self.x, self.y, self.mode, self.visible = name, rgba, x, y, mode, True

    get_name = property(lambda self: lambda: self.name)
    get_visible = property(lambda self: lambda: self.visible)

    def set_name(self, name):
        self.name = name

    def set_mode(self, mode):
        self.mode = mode

    def set_visible(self, visible):
        self.visible = visible

    def resize_to_image_size(self):
        height, width = self.image.height, self.image.width
        whole = np.zeros((height, width, 4), np.uint8)
        whole[self.y : self.y + self.rgba.shape[0], self.x : self.x + self.rgba.shape[1]] = self.rgba
        self.rgba, self.x, self.y = whole, 0, 0


class Image:
    def __init__(self, width, height, base, layers):
        self.width, self.height, self.base, self.layers = width, height, base, list(layers)
        self.undo, self.deleted = [], False
        for layer in self.layers:
            layer.image = self

    def get_layers(self):
        return list(self.layers)

    def get_base_type(self):
        return self.base

    def convert_rgb(self):
        assert self.base is ImageBaseType.GRAY
        self.base = ImageBaseType.RGB

    def duplicate(self):
        copies = [Layer(one.name, one.rgba.copy(), one.x, one.y, one.mode) for one in self.layers]
        for copy, one in zip(copies, self.layers, strict=True):
            copy.visible = one.visible
        return Image(self.width, self.height, self.base, copies)

    def delete(self):
        self.deleted = True

    def remove_layer(self, layer):
        self.layers.remove(layer)

    def insert_layer(self, layer, parent, position):
        assert parent is None
        layer.image = self
        self.layers.insert(position, layer)

    def undo_group_start(self):
        self.undo.append("start")

    def undo_group_end(self):
        self.undo.append("end")

    def merge_visible_layers(self, merge_type):
        seen = [one for one in self.layers if one.visible]
        merged = Layer(seen[-1].name, self.seen())
        merged.image = self
        place = self.layers.index(seen[0])
        self.layers = [one for one in self.layers if not one.visible]
        self.layers.insert(place, merged)
        return merged

    def seen(self):
        """What the canvas shows."""
        below = np.zeros((self.height, self.width, 4))
        for layer in reversed([one for one in self.layers if one.visible]):
            place = np.s_[layer.y : layer.y + layer.rgba.shape[0], layer.x : layer.x + layer.rgba.shape[1]]
            above, under = layer.rgba / 255, below[place]
            rgb = above[..., :3]
            if layer.mode is LayerMode.LCH_COLOR:
                lab = color.rgb2lab(rgb)
                lab[..., 0] = color.rgb2lab(under[..., :3])[..., 0]
                rgb = np.clip(color.lab2rgb(lab), 0, 1)
            alpha = above[..., 3:]
            total = alpha + under[..., 3:] * (1 - alpha)
            mixed = rgb * alpha + under[..., :3] * under[..., 3:] * (1 - alpha)
            below[place] = np.concatenate([mixed / np.maximum(total, 1e-9), total], -1)
        return np.round(255 * below).astype(np.uint8)


def file_save(run_mode, image, file, options):
    (layer,) = image.layers  # the PNG of more is merged by GIMP; the plug-in leaves one
    Pillow.fromarray(layer.rgba).save(file.path)


def file_load_layer(run_mode, image, file):
    with Pillow.open(file.path) as picture:
        layer = Layer("colored.png", np.asarray(picture.convert("RGBA")))
    layer.image = image
    return layer


class File:
    @classmethod
    def new_for_path(cls, path):
        file = cls()
        file.path = path
        return file


class Error(Exception):
    def __init__(self, message):
        self.message = message


def modules():
    """`gi` and what it has, by name."""
    here = types.SimpleNamespace(**globals())
    here.main = lambda gtype, words: None
    here.progress_init = lambda message: None
    here.displays_flush = lambda: None
    flags = types.SimpleNamespace(READWRITE=3)
    repository = types.SimpleNamespace(
        Gimp=here,
        GimpUi=types.SimpleNamespace(),
        Gio=types.SimpleNamespace(File=File),
        GLib=types.SimpleNamespace(Error=Error),
        GObject=types.SimpleNamespace(ParamFlags=flags),
    )
    gi = types.SimpleNamespace(require_version=lambda name, version: None, repository=repository)
    return {"gi": gi, "gi.repository": repository}
