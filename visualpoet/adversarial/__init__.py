"""The policy loop: the only sub-package that imports tf-agents."""

import importlib.util

import tensorflow as tf

if importlib.util.find_spec("tf_agents") is None:
    raise ModuleNotFoundError(
        "expected tf-agents. Received: none installed; run "
        '`pip install "visualpoet[adversarial]"` (Python 3.11)'
    )
if not tf.keras.Model.__module__.startswith("tf_keras"):
    raise ImportError(
        "tf-agents needs Keras 2 as tf.keras. Received: "
        f"{tf.keras.Model.__module__}; set the environment variable "
        "TF_USE_LEGACY_KERAS=1 before TensorFlow is imported"
    )
