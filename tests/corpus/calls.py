"""One valid call of each public function of the numerical package, argument by argument: what bad input starts from."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np

from backprop import _passes, conventions, data_parallel, fast_step, metering, primitives, reverse_mode, training
from backprop.activations import ACTIVATIONS
from backprop.diagnose import diagnose
from backprop.network import MLP
from backprop.optimizers import Adam, GradientDescent, Momentum
from corpus.corruptions import ANY, Array, Choice, Classes, Parts, Positive, Same, Thing, Whole, with_entry
from corpus.public import Call, call_of

CALLS: list[Call] = []


def row(*call, **arguments):
    CALLS.append(call_of(*call, **arguments))


# What the rows below take ---------------------------------------------------------------------------------------------


def network_of(loss="cross_entropy", dtype=np.float64) -> MLP:
    return MLP.initialize([3, 6, 4], np.random.default_rng(1), None, loss, dtype=dtype)


NETWORK, REGRESSION = network_of(), network_of("mean_squared_error")
X, Y = np.random.default_rng(2).normal(size=(5, 3)), np.array([1, 3, 0, 2, 3])
GRADIENTS = NETWORK.loss_and_gradients(X, Y)[1]
RUN = training.fit(NETWORK, X, Y, Momentum(0.1), epochs=1, batch_size=2, rng=np.random.default_rng(3))

COMPLEX = NETWORK.with_parameters([W + 0j for W in NETWORK.weights], NETWORK.biases)
OF_NETWORK = {"network": Thing(NETWORK, wrong=[COMPLEX, MLP])}
RNG = {"rng": Thing(np.random.default_rng(5), wrong=[np.random.RandomState(0), np.random])}
OPTIMIZER = {"optimizer": Thing(Momentum(0.1), wrong=[Momentum])}
LABELS = [
    {"Y": Classes(), "variant": "with classes"},
    {"Y": Classes(weights=True), "variant": "with weights"},
]


def parameters():
    return {
        "weights": Parts([(3, 6), (6, 4)], "complex", first_free=True),
        "biases": Parts([(6,), (4,)], "complex"),
    }


def nan_in(array, where=0):
    out = array.copy()
    out[where] = np.nan
    return out


# Ways to spoil an array whose shape is given.
SPOILS = (
    nan_in,
    lambda a: a[..., :-1],
    lambda a: a[np.newaxis, np.newaxis],
    lambda a: a + 1j,
    lambda a: a.astype(object),
    lambda a: a.astype(str),
    lambda a: None,
    lambda a: {},
)


def spoiled(*fields, spoils=SPOILS):
    """For each of these fields of a tuple, and each way to spoil an array: a function that spoils the tuple.

    Of a list of arrays the first one is spoiled; of a list of tuples too.
    """

    def of(field, spoil):
        def spoiled_tuple(value):
            if isinstance(value, list):
                return [spoiled_tuple(value[0]), *value[1:]]
            found = getattr(value, field)
            listed = isinstance(found, list | tuple)
            return value._replace(**{field: with_entry(found, 0, spoil(found[0])) if listed else spoil(found)})

        return spoiled_tuple

    return [of(field, spoil) for field in fields for spoil in spoils]


def with_fields(**fields):
    """For each of the values of each field: a function that puts it into a tuple."""
    return [lambda value, f=f, x=x: value._replace(**{f: x}) for f, found in fields.items() for x in found]


# layers, activations, losses ------------------------------------------------------------------------------------------

row(
    "layers.linear_forward",
    X=Array("m n_in", "complex"),
    W=Array("n_in n_out", "complex"),
    b=Array("n_out", "complex"),
    empty="m",
)
row("layers.linear_backward", dZ=Array("m n_out"), X=Array("m n_in"), W=Array("n_in n_out"))

for f in ACTIVATIONS:
    if f != "softmax":
        of_Z = {"dA": Array("..."), "Z": Array("...", "infinite"), "A": Array("...", "infinite")}
        row(f"activations.{f}", z=Array("...", "complex infinite"), empty="...", infinite=True)
        row(f"activations.{f}_derivative", z=Array("...", "infinite"), empty="...")
        row(f"activations.ACTIVATIONS[{f}].backward", **of_Z)
row("activations.softmax", Z=Array("... K", "complex infinite"), empty="...")
row("activations.log_softmax", Z=Array("... K", "complex infinite"), empty="...", infinite=True)
row("activations.softmax_jacobian", z=Array("K", "infinite"))
row("activations.softmax_backward", dP=Array("... K"), P=Array("... K", values="rows"))
row(
    "activations.ACTIVATIONS[softmax].backward",
    dA=Array("... K"),
    Z=Array("... K", "infinite"),
    A=Array("... K", values="rows"),
)

for labels, K in zip(LABELS, ("K", "4"), strict=True):  # classes need as many columns as there are, and more will do
    row("losses.softmax_cross_entropy", Z=Array(f"m {K}", "complex", said="Z|Y"), infinite=True, **labels)
    row("losses.cross_entropy", P=Array(f"m {K}", "complex", "rows", said="P|Y"), infinite=True, **labels)
row("losses.sigmoid_cross_entropy", Z=Array("m n_out", "complex"), Y=Array("m n_out", values="unit"), infinite=True)
row("losses.binary_cross_entropy", Y_hat=Array("m n_out", "complex", "unit"), Y=Array("m n_out", values="unit"))
for f in ("mean_squared_error", "half_squared_error"):
    row(f"losses.{f}", Y_hat=Array("m n_out", "complex"), Y=Array("m n_out"), infinite=True)

# network, initializers ------------------------------------------------------------------------------------------------

ACTIVATION_NAMES = Thing(
    ["relu", "softmax"], wrong=[["relu"], ["relu", "no"], ["relu", ["softmax"]], "relu softmax"], none=ANY
)
SIZES_OF_LAYERS = Thing([3, 6, 4], wrong=[[3], [], *([3, n, 4] for n in (0, -2, 2.5, "4", True, np.nan, None, 1j))])
row("network.MLP", **parameters(), activations=ACTIVATION_NAMES, loss=Choice("cross_entropy"))
row(
    "network.MLP.initialize",
    sizes=SIZES_OF_LAYERS,
    activations=ACTIVATION_NAMES,
    loss=Choice("cross_entropy"),
    initializer=Choice("glorot_normal"),
    dtype=Choice(np.float32),
    **RNG,
)
row("network.MLP.with_parameters", NETWORK.with_parameters, **parameters())
row("network.MLP.forward", NETWORK.forward, X=Array("m 3"), empty="m", infinite=True)
at_layer_1 = {"layer": Whole(1, 1, 2), "Z": Array("m 6"), "infinite": True}
for labels in LABELS:
    row("network.MLP.loss", NETWORK.loss, X=Array("m 3", "complex"), infinite=True, **labels)
    row("network.MLP.loss_and_gradients", NETWORK.loss_and_gradients, X=Array("m 3"), infinite=True, **labels)
    row("network.MLP.loss_from", NETWORK.loss_from, **at_layer_1, **labels)
row(
    "network.MLP.loss_from",
    NETWORK.loss_from,
    **at_layer_1,
    Y=Classes(),
    moves=Array("k m", "optional"),
    empty="k",
    variant="with moves",
)
row(
    "network.MLP.loss_and_gradients",
    REGRESSION.loss_and_gradients,
    X=Array("m 3"),
    Y=Array("m 4"),
    infinite=True,
    variant="of a regression",
)
for f in ("he_normal", "glorot_uniform", "glorot_normal", "lecun_normal"):
    row(f"initializers.{f}", n_in=Whole(3), n_out=Whole(4), dtype=Choice(np.float32), **RNG)

# gradcheck, diagnose --------------------------------------------------------------------------------------------------

OF_F = {"f": Thing(lambda t: np.tanh(t).sum())}
row("gradcheck.central_difference", **OF_F, theta=Array("...", "double"), h=Positive(1e-5), empty="...")
row("gradcheck.complex_step", **OF_F, theta=Array("...", "double"), h=Positive(1e-20), empty="...")
row(
    "gradcheck.directional_check",
    **OF_F,
    gradient=Array("m n_in", "half nan infinite"),
    theta=Array("m n_in", "double"),
    directions=Whole(3),
    h=Positive(1e-5, none=True),
    method=Choice("central"),
    nan=True,
    **RNG,
)
any_numbers = Array("...", "half nan infinite")
row("gradcheck.relative_error", analytic=any_numbers, numeric=any_numbers, empty="...", nan=True)
row("gradcheck.verdict", error=Positive(1e-6, error=True))
for labels in LABELS:
    row("gradcheck.check_network", **OF_NETWORK, X=Array("m 3"), h=Positive(1e-5), nan=True, infinite=True, **labels)
row(
    "gradcheck.column_slopes",
    **OF_NETWORK,
    **at_layer_1,
    inputs=Array("m n_in", "half"),
    Y=Classes(),
    step=Positive(1e-5),
    empty="n_in",
    nan=True,
)

any_shape = "half shapeless"
row(
    "diagnose.diagnose",
    gradient=Array("m n_in", "strange"),
    reference=Array("m n_in", any_shape),
    m=Whole(5, none=True),
    name=Thing("dW", wrong=[3, None, ["dW"]], right={"db": ANY}, usual=False),
)


def diagnosed(gradient, reference, X, dZ):
    return diagnose(gradient, reference, operands={"X": X, "dZ": dZ})


row(
    "diagnose.diagnose",
    diagnosed,
    gradient=Array("n_in n_out", "strange"),
    reference=Array("n_in n_out", any_shape),
    X=Array("m n_in", any_shape),
    dZ=Array("m n_out", any_shape),
    variant="with operands",
)
row(
    "diagnose.diagnose",
    lambda operands: diagnose(np.ones(3), np.ones(3), operands=operands),
    operands=Thing({"X": np.ones((5, 3))}, none=ANY),
    variant="with an operand",
)

# conventions ----------------------------------------------------------------------------------------------------------

FIELDS = (*_passes.LISTS, "X", "Y", "dX")
WRONG_LISTS = dict.fromkeys(_passes.LISTS, (None, [], 3))
BAD_PASS = [*spoiled(*FIELDS), *with_fields(loss=(np.nan, "1", None, 1j, True), X=(None,), Y=("a",), **WRONG_LISTS)]

row(
    "conventions.Pass.of",
    lambda network, X, Y: conventions.Pass.of(network, X, Y),
    **OF_NETWORK,
    X=Array("m 3"),
    Y=Classes(),
    infinite=True,
)
for note, convention in conventions.CONVENTIONS.items():
    loss = (convention.losses or ("mean_squared_error",))[0]
    pass_ = conventions.Pass.of(network_of(loss), X, Y if loss == "cross_entropy" else np.eye(4)[Y])
    note_pass = conventions.to_note(note, pass_)
    row("conventions.to_note", note=Choice(note), pass_=Thing(pass_, spoiled=BAD_PASS), variant=note)
    bad = [*spoiled(*FIELDS), lambda v: v[0], lambda v: []] if convention.one_sample else BAD_PASS
    row("conventions.from_note", note=Choice(note), note_pass=Thing(note_pass, spoiled=bad), variant=note)

# optimizers -----------------------------------------------------------------------------------------------------------

share = Positive(0.5, share=True)
row("optimizers.GradientDescent", learning_rate=Positive(0.1))
row("optimizers.Momentum", learning_rate=Positive(0.1), momentum=share)
row("optimizers.Adam", learning_rate=Positive(0.1), beta1=share, beta2=share, epsilon=Positive(1e-8))

BAD_GRADIENTS = [*spoiled("dW", "db"), *with_fields(dW=(None, [], 3), db=(None, [], 3))]
TOO_LARGE = GRADIENTS._replace(dW=[1e308 * np.sign(dW) for dW in GRADIENTS.dW])
BAD_VELOCITIES = [lambda v, spoil=spoil: (spoil(v[0]), *v[1:]) for spoil in SPOILS]
BAD_VELOCITIES += [lambda v: v[:-1], lambda v: (*v, v[0]), lambda v: ()]
BAD_MEANS = [
    *spoiled("mean", "square"),
    *with_fields(steps=(-1, 1.5, None, "1", True), square=(None, ()), mean=(None, (), 3)),
    lambda v: v._replace(square=tuple(s - 1 for s in v.square)),
]
for optimizer, bad in (
    (GradientDescent(0.1), [lambda v: (1,)]),
    (Momentum(0.1), BAD_VELOCITIES),
    (Adam(0.1), BAD_MEANS),
):
    name = type(optimizer).__name__
    after, state = optimizer.step(NETWORK, GRADIENTS, optimizer.init(NETWORK))
    gradients = Thing(GRADIENTS, spoiled=BAD_GRADIENTS, right={"huge": (TOO_LARGE, ANY)})
    row(f"optimizers.{name}.init", optimizer.init, **OF_NETWORK)
    row(f"optimizers.{name}.step", optimizer.step, **OF_NETWORK, gradients=gradients, state=Thing(state, spoiled=bad))

# training, fast_step --------------------------------------------------------------------------------------------------

HOW_LONG = {"epochs": Whole(2, 0), "batch_size": Whole(2, 1, 5)}
BAD_STATE = with_fields(
    optimizer=((), None, "a", with_entry(RUN.state.optimizer, 0, RUN.state.optimizer[0] + 1j)),
    rng=(None, {}, {"bit_generator": "None"}, {"bit_generator": "PCG64"}, "a"),
    epoch=(-1, 1.5, None, "1"),
    batch=(-1, 7, None, 0.0),
    batches=(0, None, 1.5),
)
BAD_STATE.append(lambda v: v._replace(optimizer=with_entry(v.optimizer, 0, nan_in(v.optimizer[0]))))
data = {"X": Array("5 3"), "Y": Classes()}
row("training.fit", lambda **arguments: training.fit(**arguments), **OF_NETWORK, **data, **OPTIMIZER, **HOW_LONG, **RNG)
row(
    "training.fit",
    lambda **arguments: training.fit(**arguments),
    **OF_NETWORK,
    **data,
    **OPTIMIZER,
    **HOW_LONG,
    state=Thing(RUN.state, spoiled=BAD_STATE),
    variant="going on",
)


def saved(run, path):
    """What is read of what was written."""
    with tempfile.TemporaryDirectory() as folder:
        training.save(Path(folder, path) if isinstance(path, str) else path, run)
        return training.load(Path(folder, path))


@functools.cache
def a_file() -> str:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    training.save(Path(folder, "run.npz"), RUN)
    return str(Path(folder, "run.npz"))


BAD_RUN = with_fields(network=(None, 3, ()), state=(None, 3, ()), history=(None, 3, ()))
BAD_RUN += [
    lambda v, spoil=spoil: v._replace(state=spoil(v.state))
    for spoil in with_fields(optimizer=(None, 3, "a"), rng=(None, 3), epoch=("1", None, -1))
]
row(
    "training.save",
    saved,
    run=Thing(RUN, spoiled=BAD_RUN),
    path=Thing("run.npz", wrong=[None, 3, 1j, ["a"], object()], usual=False),
)
row(
    "training.load",
    path=Thing(
        make=lambda rng: a_file(),
        wrong=[__file__],
        spoiled=[lambda v: f"{v}.not", lambda v: Path(v).parent],
        said="path|No such file|Is a directory",
    ),
)


def one_step(network):
    """A step of a fast network; where it refuses, nothing has moved."""

    def step(X, Y):
        fast = fast_step.FastStep(network, Adam(0.1), batch_size=5)
        before = [W.tobytes() for W in fast.network.weights]
        try:
            return fast.step(X, Y), fast.network
        except (ValueError, TypeError):
            assert before == [W.tobytes() for W in fast.network.weights], "the parameters have moved"
            raise

    return step


row("fast_step.FastStep", **OF_NETWORK, **OPTIMIZER, batch_size=Whole(5))
for labels in LABELS:
    row("fast_step.FastStep.step", one_step(NETWORK), X=Array("m 3"), **labels)
inputs, outputs, probabilities = Array("m 3"), Array("m 4"), Array("m 4", values="unit")
row("fast_step.FastStep.step", one_step(REGRESSION), X=inputs, Y=outputs, variant="of a regression")
row(
    "fast_step.FastStep.step",
    one_step(network_of("binary_cross_entropy")),
    X=inputs,
    Y=probabilities,
    variant="of probabilities",
)
row("fast_step.FastStep.step", one_step(network_of(dtype=np.float32)), X=inputs, Y=Classes(), variant="in float32")

# data_parallel, metrics, datasets -------------------------------------------------------------------------------------

PART, OTHER_PART = data_parallel.part_of(NETWORK, (X, Y), [0, 1]), data_parallel.part_of(NETWORK, (X, Y), [2, 3, 4])
NO_ROWS = ([0.5, 1], [-1, 2], [7], [[1, 2]], ["1"], [1j], [np.nan], [True, False], [None], {1})
BAD_SHARD = [
    lambda v: (nan_in(v[0], 1), v[1]),
    lambda v: (v[0] + 1j, v[1]),
    lambda v: (v[0].astype(str), v[1]),
    lambda v: (v[0][:, :2], v[1]),
    lambda v: (v[0][:2], v[1]),
    lambda v: (None, v[1]),
    lambda v: (v[0], None),
    lambda v: (v[0], v[1] + 1000),
    lambda v: (v[0], v[1] * 1.0),
    lambda v: v[:1],
    lambda v: (*v, v[1]),
]
# What is wrong with numbers, labels or columns shows in the rows that are asked for, and there alone.
BAD_SHARD_WITHOUT_ROWS = BAD_SHARD[1:3] + BAD_SHARD[4:7] + BAD_SHARD[9:]
BAD_PART = [
    *spoiled("dW", "db"),
    *with_fields(samples=(-1, 1.5, None, "2"), loss=(np.nan, "1", 1j, None), dW=([], None), db=([], None)),
]
rows = np.array([3, 1, 2])
row(
    "data_parallel.part_of",
    **OF_NETWORK,
    shard=Thing((X, Y), spoiled=BAD_SHARD, said="X|Y|shard"),
    rows=Thing(rows, wrong=NO_ROWS, right={"a list": (rows.tolist(), Same(rows))}),
)
row(
    "data_parallel.part_of",
    lambda network, shard: data_parallel.part_of(network, shard, []),
    **OF_NETWORK,
    shard=Thing((X, Y), spoiled=BAD_SHARD_WITHOUT_ROWS, said="X|Y|shard"),
    variant="without rows",
)
row(
    "data_parallel.weighted_mean",
    parts=Thing(
        [PART, OTHER_PART],
        wrong=[[], [None, None], [PART._replace(samples=0)]],
        spoiled=[lambda v, spoil=spoil: [spoil(v[0]), v[1]] for spoil in BAD_PART],
    ),
)
row("data_parallel.at_once", lambda function: data_parallel.at_once(function, 3), function=Thing(abs))
row("data_parallel.shard_sizes", m=Whole(7), workers=Whole(3, 1, 7))
order = np.array([5, 0, 3, 4, 1, 2])
row(
    "data_parallel.rows_by_shard",
    rows=Thing(order, wrong=NO_ROWS, right={"a list": (order.tolist(), Same(order))}),
    sizes=Thing(
        [2, 1, 3], wrong=[[2, -1, 5], [1.5, 4.5], ["2"], [None, 6], [[2, 1, 3]], [True, 5], [2, 1]], said="sizes|rows"
    ),
)
halves = [(X[:2], Y[:2]), (X[2:], Y[2:])]
row(
    "data_parallel.fit",
    lambda **arguments: data_parallel.fit(**arguments),
    **OF_NETWORK,
    shards=Thing(
        halves,
        wrong=[halves[:1], halves[::-1], [None, None]],
        spoiled=[lambda v: [(nan_in(v[0][0]), Y[:2]), v[1]], lambda v: [v[0], (v[1][0], v[1][1] + 1000)]],
        said="shards?|X|Y|rows",
    ),
    sizes=Thing([2, 3], wrong=[[2], [3, 3], [2, -3], [2.0, 3.0], ["2", 3]], said="sizes|rows|X|shard"),
    **OPTIMIZER,
    epochs=Whole(1, 0),
    batch_size=Whole(3, 1, 5),
    submit=Thing(data_parallel.at_once),
    **RNG,
)

row("metrics.predict", **OF_NETWORK, X=Array("m 3"), empty="m")
row("metrics.accuracy", **OF_NETWORK, X=Array("m 3"), Y=Classes())
row("metrics.confusion_matrix", **OF_NETWORK, X=Array("m 3"), Y=Classes())
row("datasets.split", X=Array("m n_in", "strange"), Y=Array("m", "strange"), test=Whole(2, 1, 4), nan=True, **RNG)
row("datasets.mirror_patterns", bits=Whole(4, 2, 16))
for f in ("running_example", "digits", "measured", "speed_record"):
    row(f"datasets.{f}")

# reverse and forward mode ---------------------------------------------------------------------------------------------


def a_node(rng):
    x = reverse_mode.variable(rng.normal(size=(5, 3)))
    return x * x


def within(exp):
    with primitives.replaced(exp=exp):
        return primitives.PRIMITIVES["exp"].function(1.0)


def counted():
    with metering.metered() as reading:
        reverse_mode.exp(np.ones(3))
    return reading.multiplications


for f in ("exp", "log", "tanh", "sigmoid", "relu", "total", "log_softmax"):
    shape, values = "... K" if f == "log_softmax" else "...", "positive" if f == "log" else "normal"
    row(
        f"reverse_mode.{f}",
        lambda operand, f=f: getattr(reverse_mode, f)(operand),
        empty="...",
        operand=Array(shape, values=values),
    )
operand = Array("m n_in", "shapeless", said="operand")
row(
    "reverse_mode.apply",
    lambda primitive, a, b: reverse_mode.apply(primitive, a, b),
    primitive=Choice("multiply"),
    a=operand,
    b=operand,
)
row(
    "reverse_mode.apply",
    lambda a, b: reverse_mode.apply("matmul", reverse_mode.variable(a), b),
    a=Array("m n_in", said="value|operand"),
    b=Array("n_in n_out", said="operand"),
    empty="m n_out",
    variant="of matrices",
)
row("reverse_mode.variable", value=Array("..."), empty="...")
node = Thing(make=a_node)
row("reverse_mode.tape", output=node)
row("reverse_mode.shares", lambda node, v: list(reverse_mode.shares(node, v)), node=node, v=Array("5 3"))
row("reverse_mode.backward", output=node, cotangent=Array("5 3", said="cotangent|v"))
two = [(2, 3), (2, 3)]
row(
    "forward_mode.jvp",
    function=Thing(lambda x, y: x * y),
    values=Parts(two, said="values|operand"),
    tangents=Parts(two),
)
row("primitives.replaced", within, exp=Thing(primitives.PRIMITIVES["tanh"]))
row("metering.metered", counted)
