"""satlib: predict a user's satisfaction by fine-tuning a pretrained language model, lesson by
lesson.

Each module is taught by the lesson of the same name in ``notebooks/``. Importing the package
imports none of them, so ``import satlib`` needs neither torch nor transformers.
"""

__version__ = "0.1.0"
