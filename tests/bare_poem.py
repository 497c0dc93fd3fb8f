"""The poem of the export that ships, by TensorFlow and nothing else.

    python tests/bare_poem.py

`.ci/old_tensorflow` compares what versions of TensorFlow print.
"""

import json
import pathlib

import tensorflow as tf

ROOT = pathlib.Path(__file__).parents[1]


def main() -> None:
    """Prints the poem of one photograph and its score."""
    versions = (ROOT / "savedmodels" / "visualpoet").glob("[0-9]*")
    model = max(versions, key=lambda folder: int(folder.name))
    compose = tf.saved_model.load(str(model)).signatures["compose"]
    options = json.loads((model / "assets.extra/options.json").read_text())
    photograph = (ROOT / "docs" / "pictures" / "sea.jpg").read_bytes()
    given = {**options, "image_bytes": photograph, "seed": 7}
    outputs = compose(
        **{
            name: tf.constant([given[name]], spec.dtype)
            for name, spec in compose.structured_input_signature[1].items()
        }
    )
    print(outputs["poem"].numpy()[0].decode())
    print(f"{outputs['score'].numpy()[0]:.3f}")


if __name__ == "__main__":
    main()
