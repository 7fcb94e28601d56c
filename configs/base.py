"""Every field of an experiment: its default, its unit, one line of why.

`get_config()` returns a locked `ml_collections.ConfigDict`; the other files in this folder start from it and change
fields, never add any. Sections are named as the modules they configure, and a module is given its own section only.
Tuples, never lists (ml_collections cannot override a list on the command line).
"""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """A locked config with every field at its default."""
    config = ConfigDict()
    config.name = "base"  # names the default work folder, runs/<name>
    config.seed = (
        0  # everything random on the device is fold_in(seed, step); on the host, Grain's index order
    )
    config.init_from = (
        ""  # start from a run's EMA weights (runs/x or runs/x/checkpoints/100), or from "pretrained" or a file
        # of weights, which then also says which model it is
    )

    config.task = "colorize"  # colorize | restore (take the damage of config.degrade off gray pictures)

    config.data = ConfigDict()
    config.data.kind = "bundled"  # bundled | folder | pairs | tfds | array_record
    config.data.color_dir = (
        ""  # folder: tree of colour pictures; pairs: of gray and colour squares side by side
    )
    config.data.pairs_order = "gray-color"  # pairs: gray-color | color-gray, from left to right
    config.data.gray_dir = (
        ""  # folder, pairs: tree of grayscale pictures; empty: none beside those found in color_dir
    )
    config.data.eval_dir = ""  # folder, pairs: tree of held-out ones; empty: eval_fraction of color_dir
    config.data.tfds_name = (
        ""  # tfds: e.g. "cifar10", "imagenet2012", prepared with file_format="array_record"
    )
    config.data.tfds_split = "train"
    config.data.tfds_eval_split = "test"
    config.data.tfds_dir = ""  # tfds: data folder; empty: TFDS's default
    config.data.color_records = ""  # array_record: glob of files written by hybridvit.data.pack
    config.data.gray_records = ""
    config.data.eval_records = ""  # empty: eval_fraction of color_records
    config.data.labeled_fraction = (
        1.0  # fixed, seeded share of the colour pictures used as labeled; the rest as grayscale
    )
    config.data.labeled_as_unlabeled = (
        True  # the luma of labeled pictures joins the unlabeled stream, as in FixMatch
    )
    config.data.eval_fraction = 0.05  # share of the colour pictures held out where no eval set is given
    config.data.eval_limit = 200  # pictures evaluated at most; 0: all
    config.data.gray_chroma = (
        4.0  # a picture whose 99th percentile of chroma (CIE ab units) is below this is grayscale
    )
    config.data.image_size = 128  # px, side of the square training crop
    config.data.crop_scale = (0.4, 1.0)  # range of the crop's side, as a share of the picture's shorter side
    config.data.batch_size = 16  # labeled pictures a step, over all processes
    config.data.unlabeled_batch_size = 16  # grayscale pictures a step; 0 switches the unlabeled stream off
    config.data.num_threads = 2  # Grain read threads (of each worker process, if any)
    config.data.num_workers = 0  # Grain worker processes; 0: threads of this process
    config.data.prefetch = 4  # batches buffered on the host

    config.color = ConfigDict()
    config.color.space = "lab"  # lab | yuv | hsv | rgb; the bins, and colouring photographs, want lab

    config.model = ConfigDict()
    config.model.name = "HybridConvViT"  # a key of hybridvit.models.generator.GENERATORS
    config.model.variant = "Ti"  # Ti | XS | S | B | L: about 2.5, 6, 8, 30, 110 M parameters
    config.model.embedding = (
        ""  # Autoencoder full: weights of its classifier (.npz of a ViT); empty: our own encoder
    )
    config.model.hints = True  # False: the generator takes none, and is evaluated without
    config.model.dtype = "float32"  # compute dtype; parameters are float32. bfloat16 on GPU and TPU
    config.model.remat = (
        False  # recompute each ViT block in the backward pass: less memory, a third more FLOPs
    )

    config.hints = ConfigDict()  # simulated user hints in training
    config.hints.kind = (
        "cells"  # cells | points (few, towards the middle, as Zhang et al. 2017; no more fields)
    )
    config.hints.none_fraction = 0.35  # share of pictures without any hint, so that automatic mode stays good
    config.hints.min_count = 1  # fewest and most hint cells of the other pictures; the count is log-uniform
    config.hints.max_count = 128
    config.hints.cell_sizes = (1, 2, 4, 8)  # px, side of a square hint cell, one drawn for each picture

    config.degrade = ConfigDict()  # strong views: ageing of the luma, each with its probability
    config.degrade.labeled_probability = 0.5  # share of labeled pictures whose luma is aged too
    config.degrade.film = 0.5  # ortho- or panchromatic response (needs colour: labeled pictures only)
    config.degrade.tone = 0.8  # gamma and S-curve
    config.degrade.fade = 0.4  # lifted blacks, lowered whites
    config.degrade.vignette = 0.3
    config.degrade.blur = 0.3
    config.degrade.grain = 0.6
    config.degrade.scratches = 0.2
    config.degrade.dust = 0.2
    config.degrade.jpeg = 0.3
    config.degrade.cutout = 0.3
    config.degrade.strength = 1.0  # scales every amplitude; 0 is the identity

    config.cutmix = ConfigDict()  # pictures of a batch exchange a rectangle of half their area
    config.cutmix.probability = 0.0  # of a pair

    config.supervised = ConfigDict()  # chroma regression
    config.supervised.weight = 1.0
    config.supervised.loss = "huber"  # huber | l1 | l2 | l1_ssim
    config.supervised.delta = 0.1  # Huber threshold, in chroma units (1 = 110 ab)

    config.bins = ConfigDict()  # cross-entropy on the 313 ab bins (Zhang et al. 2016)
    config.bins.weight = 0.05
    config.bins.uniform_mix = 0.5  # lambda of the class rebalancing: 1 none, 0 full
    config.bins.sigma = 5.0  # ab units, width of the soft encoding
    config.bins.prior_decay = 0.99  # the bin prior is a running mean over the labeled pictures

    config.restoration = ConfigDict()  # grayscale pictures teach to see under damage: an auxiliary objective
    config.restoration.weight = 0.0  # of the luma before ageing, drawn from the last features
    config.restoration.pretrain_steps = 0  # the first steps learn this alone, and no colours

    config.consistency = ConfigDict()  # FixMatch bent to colour
    config.consistency.weight = 1.0
    config.consistency.warmup_steps = 200  # the weight rises linearly over these steps
    config.consistency.temperature = 1.0  # below 1 sharpens the teacher's distribution (0.38: annealed mean)
    config.consistency.teacher = "ema"  # ema | live: whose weights make the pseudo-labels
    config.consistency.gate = "none"  # none | radial_mass | deviation | max_probability
    config.consistency.radius = (
        10.0  # ab units: radial_mass is the teacher's probability within this distance of its mean
    )
    config.consistency.threshold = 0.9  # confidence that always suffices; the only threshold if not adaptive
    config.consistency.adaptive = True  # a cell must be surer than its chroma ring is on average (FreeMatch)
    config.consistency.floor = 0.2  # least that an adaptive threshold asks for: a Gaussian of 15 ab units
    config.consistency.views = 2  # weak views (identity, flip) that the teacher must agree on: 1 or 2
    config.consistency.agreement = 12.0  # ab units, largest distance between the views' means
    config.consistency.pseudo_hints = (
        True  # the teacher's confident pixels are drawn as hints for the student
    )

    config.adversarial = ConfigDict()
    config.adversarial.weight = 0.0  # 0: no discriminator is built
    config.adversarial.loss = "hinge"  # hinge | least_squares | vanilla
    config.adversarial.r1_weight = 0.0  # gradient penalty on real pictures
    config.adversarial.start_step = 0  # the generator hears the discriminator from this step on
    config.adversarial.learning_rate = 2e-4  # of the discriminator; its schedule is that of optim
    config.adversarial.b1 = 0.0  # without momentum (Miyato et al. 2018)
    config.adversarial.b2 = 0.99
    config.adversarial.width = 64  # channels of the first layer
    config.adversarial.num_layers = 3  # 3: the 70 x 70 PatchGAN of pix2pix
    config.adversarial.norm = "spectral"  # spectral | batch | instance | none

    config.cycle = (
        ConfigDict()
    )  # CycleGAN: colour and gray pictures that do not correspond; space rgb, no hints
    config.cycle.weight = 0.0  # of coming back to where it started (10 in the paper); 0: no way back is built
    config.cycle.identity = 0.5  # weight of changing nothing that need not change, as a share of the above
    config.cycle.pool_size = 50  # past pictures of each generator from which its discriminator is shown some

    config.growing = ConfigDict()  # progressive growing: training starts on smaller pictures
    config.growing.first_side = 0  # px, doubled until it is data.image_size; 0: full size from the start
    config.growing.steps = (
        1000  # over which each doubling is blended in, and again for which it is trained on
    )

    config.optim = ConfigDict()
    config.optim.learning_rate = 1e-3  # peak
    config.optim.warmup_steps = 100
    config.optim.schedule = "cosine"  # cosine | constant | linear | steps, after the warm-up
    config.optim.final_fraction = 0.01  # of the peak, at the end of cosine and linear
    config.optim.step_shares = (0.5, 0.75)  # steps: of the run, at which the rate is multiplied by
    config.optim.step_factors = (0.1, 0.1)
    config.optim.weight_decay = 0.05  # not on norms and biases
    config.optim.b1 = 0.9
    config.optim.b2 = 0.95
    config.optim.clip_norm = 1.0
    config.optim.accumulate = 1  # microbatches a step, their gradients averaged
    config.optim.ema_decay = 0.999  # with bias-corrected warm-up: min(ema_decay, (1 + step) / (10 + step))

    config.train = ConfigDict()
    config.train.steps = 1000
    config.train.log_every = 20  # steps
    config.train.checkpoint_every = 200
    config.train.eval_every = 200
    config.train.keep_last = 2  # checkpoints, beside the best
    config.train.best_metric = "psnr"  # psnr | ssim | log_likelihood | log_likelihood_balanced, the highest
    config.train.max_skipped = 10  # steps in a row with a non-finite loss after which the run stops
    config.train.profile = False  # trace steps 10 to 15 of each start, to see where the time goes

    config.eval = ConfigDict()
    config.eval.image_size = 256  # px: shorter side to this, centre crop
    config.eval.batch_size = 8
    config.eval.hint_counts = (
        0,
        1,
        2,
        5,
        10,
        20,
        50,
        100,
    )  # the PSNR@N protocol, run by --mode=eval and at the end
    config.eval.grid_pictures = 6  # rows of the picture grid

    config.mesh = ConfigDict()
    config.mesh.fsdp = (
        1  # devices over which parameters are sharded; 1: plain data parallelism. The rest is 'data'
    )

    config.runtime = ConfigDict()
    config.runtime.compilation_cache = "~/.cache/hybridvit/jax"  # persistent; empty: none

    return config.lock()
