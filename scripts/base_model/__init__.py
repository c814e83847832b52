"""Train the base model, measure it, and write its card.

    python -m scripts.base_model train llm_utils/assets/base/recipe.toml OUT
    python -m scripts.base_model card OUT

The first writes a Hugging Face folder and the log of what was learned when;
the second measures that folder anew and writes README.md from the numbers.
"""
