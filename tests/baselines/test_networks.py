"""The two small networks: their formula, what is unknown, what they can learn, and that a seed
repeats them."""

import numpy as np
import pytest
import torch

from satlib.baselines import event_steps, networks
from satlib.baselines.event_steps import BUCKETS, StepArrays
from satlib.baselines.inputs import Pairs


def some(rows, at):
    return Pairs(rows.users[at], rows.items[at])


def table(users=40, items=30, rank=2, share=0.6, seed=0):
    """A planted table: biases plus a product of factors, of which a share is rated, nearly without
    noise."""
    rng = np.random.default_rng(seed)
    p, q = rng.normal(0, 0.7, (users, rank)), rng.normal(0, 0.7, (items, rank))
    level, fame = rng.normal(0, 0.3, (users, 1)), rng.normal(0, 0.3, (1, items))
    stars = 3 + level + fame + p @ q.T + rng.normal(0, 0.05, (users, items))
    user, item = np.nonzero(rng.random((users, items)) < share)
    order = rng.permutation(len(user))
    return Pairs(user[order] + 1, item[order, None] + 1), stars[user, item][order]


def rmse(a, b):
    return float(np.sqrt(np.mean((a - b) ** 2)))


def last(epochs):
    """Rows to ratings, after the last epoch."""
    for _, predict in epochs:  # noqa: B007
        pass
    return predict


# Matrix factorisation


def test_factors_are_the_formula_and_the_unknown_adds_nothing():
    torch.manual_seed(0)
    model = networks.Factors(3, 4, 2, damping=0.3)
    with torch.no_grad():
        for weight in (model.users.weight, model.items.weight):
            weight[1:] = torch.randn_like(weight[1:])
    users, items = model.users.weight.detach().numpy(), model.items.weight.detach().numpy()
    rows = Pairs(np.array([2, 0, 3, 0]), np.array([[1, 0], [4, 0], [2, 3], [0, 0]]))
    both = (items[2] + items[3]) / 2
    expected = [
        users[2, 0] + items[1, 0] + users[2, 1:] @ items[1, 1:],
        items[4, 0],
        users[3, 0] + both[0] + users[3, 1:] @ both[1:],
        0.0,
    ]
    assert networks.run(model, rows) == pytest.approx(expected, abs=1e-6)
    at, target = torch.tensor([0, 2]), torch.tensor([1.0, -1.0])
    squared = [(users[u] ** 2).sum() + (item**2).sum() for u, item in ((2, items[1]), (3, both))]
    loss = np.mean([(expected[0] - 1) ** 2, (expected[2] + 1) ** 2]) + 0.3 * np.mean(squared)
    assert model.loss(networks.to_tensors(rows), at, target).item() == pytest.approx(loss, rel=1e-5)


def test_factorisation_recovers_a_planted_table_which_biases_cannot():
    rows, stars = table()
    train, test = np.arange(len(stars)) % 5 > 0, np.arange(len(stars)) % 5 == 0
    mf = last(
        networks.factorise(
            some(rows, train), stars[train], damping=0.003, rank=2, epochs=60, learning_rate=0.02
        )
    )
    flat = last(
        networks.factorise(
            some(rows, train), stars[train], damping=0.003, rank=0, epochs=60, learning_rate=0.02
        )
    )
    found, biased = (rmse(predict(some(rows, test)), stars[test]) for predict in (mf, flat))
    assert found < 0.2 and found < 0.4 * biased


def test_after_training_the_unknown_still_has_no_bias():
    rows, stars = table()
    predict = last(networks.factorise(rows, stars, epochs=2))
    assert predict(Pairs(np.array([0]), np.array([[0]]))) == pytest.approx([stars.mean()])
    alone = predict(Pairs(np.array([0, 0]), np.array([[1], [2]])))
    assert len(set(alone)) == 2  # a new user gets what all say of the item


def test_more_damping_keeps_predictions_nearer_the_mean():
    rows, stars = table()
    weak, strong = (
        last(networks.factorise(rows, stars, damping=d))(rows).std() for d in (0.01, 1.0)
    )
    assert strong < 0.5 * weak


# GRU


def ordered(rows, scale=(1.0, 5.0)):
    return event_steps.to_arrays(rows, scale)


def words_of(*texts):
    return [event_steps.EventStep(text) for text in texts]


def toy(n, seed):
    """Two good and two bad moments in random order; the last one decides."""
    rng = np.random.default_rng(seed)
    rows, stars = [], []
    for _ in range(n):
        order = rng.permutation(["good", "good", "bad", "bad"])
        rows.append(words_of(*order))
        stars.append(5.0 if order[-1] == "good" else 1.0)
    return ordered(rows), np.array(stars)


def test_the_gru_learns_order_where_counting_words_cannot():
    (train, stars), (test, truth) = toy(300, 0), toy(100, 1)
    found = rmse(last(networks.gru(train, stars, epochs=8, learning_rate=0.01))(test), truth)
    assert truth.std() > 1.9 and found < 0.2


def test_the_gru_reads_values_and_knows_an_absent_one_from_the_lowest():
    values = [1.0, 3.0, 5.0, None] * 60
    rows = ordered(
        [[event_steps.EventStep("it", value), event_steps.EventStep("now")] for value in values]
    )
    stars = np.array([{1.0: 5.0, 3.0: 4.0, 5.0: 2.0, None: 1.0}[value] for value in values])
    assert rmse(last(networks.gru(rows, stars, epochs=15, learning_rate=0.01))(rows), stars) < 0.4


def test_padding_and_company_change_no_prediction():
    torch.manual_seed(0)
    model = networks.StepReader(4, 8, 6, 0.5)
    texts = [words_of("a"), words_of("b", "c d", "e"), words_of("a", "b")]
    together = networks.run(model, ordered(texts))
    alone = [networks.run(model, ordered([row]))[0] for row in texts]
    assert together == pytest.approx(alone, abs=1e-6)
    rows = ordered(texts)
    wide = StepArrays(
        rows.words,
        np.pad(rows.text_ids, ((0, 0), (0, 3))),
        np.pad(rows.numbers, ((0, 0), (0, 3), (0, 0))),
    )
    assert networks.run(model, wide) == pytest.approx(together, abs=1e-6)
    assert networks.run(model, rows, batch_size=1) == pytest.approx(together, abs=1e-6)


def test_a_step_is_the_mean_of_its_words():
    model = networks.StepReader(4, 8, 6, 0.0).eval()
    rows = ordered([words_of("b c"), words_of("c b"), words_of("b c b c")])
    assert np.ptp(networks.run(model, rows)) < 1e-6
    assert ((rows.words >= 0) & (rows.words < BUCKETS)).all()


# Both


def case(name):
    if name == "gru":
        return networks.gru, *toy(120, 0)
    return networks.factorise, *table()


@pytest.mark.parametrize("name", ["factorise", "gru"])
def test_a_seed_repeats_a_training_and_the_global_generator_is_left_alone(name):
    learn, rows, stars = case(name)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first = [predict(rows) for _, predict in learn(rows, stars, seed=3, epochs=2)]
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(6)
    again = [predict(rows) for _, predict in learn(rows, stars, seed=3, epochs=2)]
    other = [predict(rows) for _, predict in learn(rows, stars, seed=4, epochs=2)]
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])  # each epoch is handed out


@pytest.mark.parametrize("name", ["factorise", "gru"])
def test_epochs_are_counted_and_ratings_come_on_their_scale(name):
    learn, rows, stars = case(name)
    said = [(extra, predict(rows).mean()) for extra, predict in learn(rows, stars * 10, epochs=3)]
    assert [extra for extra, _ in said] == [{"epochs": 1}, {"epochs": 2}, {"epochs": 3}]
    assert said[-1][1] == pytest.approx(10 * stars.mean(), rel=0.3)


def test_equal_ratings_can_be_learned():
    rows, stars = table(4, 3)
    assert last(networks.factorise(rows, np.full(len(stars), 4.0), epochs=1))(
        rows
    ) == pytest.approx(4, abs=0.3)
    rows, stars = toy(20, 0)
    assert np.isfinite(last(networks.gru(rows, np.full(len(stars), 4.0), epochs=1))(rows)).all()
