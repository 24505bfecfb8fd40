"""Whether figures differ: from the period before, from each other, over the quarters.

What is shown together is corrected together, and nothing is ever called unchanged.
"""

from metrics.comparing.changing import Change, change_of, changes, changes_of
from metrics.comparing.coursing import Control, Course, course
from metrics.comparing.parting import Apart, Pair, apart, beside_each_other

__all__ = [
    "Apart",
    "Change",
    "Control",
    "Course",
    "Pair",
    "apart",
    "beside_each_other",
    "change_of",
    "changes",
    "changes_of",
    "course",
]
