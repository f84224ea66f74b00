"""Configurations: what is shipped holds, what is wrong is named, what is estimated is true."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from storyteller import configfile, estimate
from storyteller.commands.train import main
from storyteller.config import Config, ModelConfig
from storyteller.errors import ConfigError
from storyteller.model import Storyteller

SHIPPED = ["base_model", "fast_train", "gpt2_small", "min", "moe_model", "tiny_test", "ultra_tiny"]


def test_seven_are_shipped() -> None:
    assert configfile.shipped() == SHIPPED


@pytest.mark.parametrize(
    ("name", "millions", "active"),
    [
        ("base_model", 334, 334),
        ("moe_model", 603, 301),
        ("gpt2_small", 124, 124),
        ("min", 42, 42),
        ("ultra_tiny", 0, 0),
    ],
)
def test_shipped_sizes(name: str, millions: int, active: int) -> None:
    found = estimate.estimate(configfile.load(name))
    assert (found.parameters // 10**6, found.active_parameters // 10**6) == (millions, active)


@pytest.mark.parametrize("name", [*SHIPPED, "configs/ultra_tiny.yaml"])
def test_a_dry_run_prints_what_is_needed(name: str) -> None:
    printed = CliRunner().invoke(main, ["--config", name, "--dry-run"])
    assert printed.exit_code == 0
    for word in ("parameters", "active parameters", "memory", "tokens per step", "steps", "tokens"):
        assert f"\n{word}" in f"\n{printed.output}"


def test_counts_are_those_of_the_model_itself() -> None:
    config = configfile.load("ultra_tiny", ["model.use_moe=true", "training.gradient_accumulation_steps=3"])
    model, found = Storyteller(config.model), estimate.estimate(config)
    assert found.parameters == sum(weight.numel() for weight in model.parameters())
    experts = model.blocks[1].feedforward
    one = (experts.up_xcf.numel() + experts.down_xfc.numel()) // 8
    assert found.active_parameters == found.parameters - 6 * one
    assert found.tokens_per_step == 8 * 64 * 3
    assert found.steps == 40


def test_experts_are_as_large_as_the_dense_part_that_they_replace() -> None:
    sizes = ModelConfig(hidden_size=128, num_heads=4, intermediate_size=384, experts_per_token=2)
    assert sizes.expert_size * 2 == sizes.feedforward_size


def test_what_is_read_is_what_was_written() -> None:
    config = configfile.load("moe_model", ["training.learning_rate=3e-4", "generation.prompts=[a, b]"])
    assert configfile.build(configfile.plain(config)) == config
    assert config.training.learning_rate == 3e-4
    assert config.generation.prompts == ["a", "b"]
    flat = configfile.flat(config)
    assert flat["num_experts"] == 8 and flat["seed"] == 42 and flat["evaluation_every"] == 1000


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("model.hiden_size=4", "Unknown key 'model.hiden_size': did you mean 'hidden_size'?"),
        ("trainng.seed=4", "Unknown key 'trainng': did you mean 'training'?"),
        ("training.evaluation.evry=4", "Unknown key 'training.evaluation.evry': did you mean 'every'?"),
        ("model.hidden_size=big", "Invalid model.hidden_size 'big': a whole number is wanted."),
        ("model.hidden_size=1.5", "Invalid model.hidden_size 1.5: a whole number is wanted."),
        ("model.num_layers=true", "Invalid model.num_layers True: a whole number is wanted."),
        ("model.use_moe=1", "Invalid model.use_moe 1: true or false is wanted."),
        ("training.learning_rate=fast", "Invalid training.learning_rate 'fast': a number is wanted."),
        ("training.learning_rate=.nan", "Invalid training.learning_rate nan: a number is wanted."),
        ("training.learning_rate=0", "Invalid training.learning_rate 0.0: it must be more than 0."),
        ("model.position=sine", "Invalid model.position 'sine': one of rotary, learned, alibi is wanted."),
        ("model.num_heads=3", "Invalid model.hidden_size 128: it must divide by num_heads, 3."),
        ("model.num_kv_heads=3", "Invalid model.num_kv_heads 3: it must divide num_heads, 4."),
        ("model.experts_per_token=9", "Invalid model.experts_per_token 9: there are 8 experts."),
        ("generation.prompts=[1]", "Invalid generation.prompts [1]: a list of texts is wanted."),
        ("training.evaluation=3", "Invalid training.evaluation 3: a section with keys is wanted."),
        ("training.max_steps=0", "Invalid training.max_steps 0: without num_epochs nothing would end the training."),
        ("seed=4", "Invalid override 'seed=4': section.key=value is wanted."),
        ("training.seed", "Invalid override 'training.seed': section.key=value is wanted."),
        ("training.seed.x=4", "Invalid override 'training.seed.x=4': 'seed' is no section."),
    ],
)
def test_what_is_wrong_is_named(override: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configfile.load("ultra_tiny", ["training.seed=1", override])
    assert str(caught.value) == said


def test_what_does_not_go_with_parts_of_weights() -> None:
    for key, value in {"optimizer": "muon", "amp_dtype": "float16", "compile": "true"}.items():
        with pytest.raises(
            ConfigError, match=rf"Invalid training.{key} {value}: it does not go with training.parallel"
        ):
            configfile.load("ultra_tiny", ["training.parallel=fsdp", f"training.{key}={value}"])


@pytest.mark.parametrize(
    ("content", "said"),
    [("- 1", "it must have sections"), ("model: [", "expected the node content"), ("model: 3", "Invalid model 3")],
)
def test_files_that_are_no_configuration(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=said):
        configfile.load(str(file))


def test_a_command_says_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    asked = {
        "Unknown configuration 'huge': no such file, and shipped are": ["--config", "huge"],
        "Unknown key 'model.x'": ["--config", "min", "--set", "model.x=1"],
    }
    for said, arguments in asked.items():
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        line = capsys.readouterr().err
        assert ended.value.code == 1
        assert said in line and line.count("\n") == 1


def test_defaults_hold() -> None:
    assert Config().sequence_length == 512
