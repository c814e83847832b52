"""Week 6: the race. The best model that a budget of time can train.

`recipe` says what is raced, `race` holds the clock, `score` judges what came
out, `board` keeps the results, `tricks` reads the stored table of long runs.
"""
