"""The package that grows with the book, one stage a week.

text -> model -> train -> infer -> align: a stage uses only earlier ones.
"""

__version__ = "0.1.0.dev0"
