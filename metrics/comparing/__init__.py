"""Whether figures differ: from the period before, from each other, over the quarters.

What is shown together is corrected together, and nothing is ever called unchanged.
"""

from metrics.comparing.changing import change_of, changes_of
from metrics.comparing.coursing import Control, Course, course
from metrics.comparing.keeping import before_of, kept_changes
from metrics.comparing.parting import Apart, Pair, apart, beside_each_other
from metrics.comparing.telling import Change

__all__ = [
    "Apart",
    "Change",
    "Control",
    "Course",
    "Pair",
    "apart",
    "before_of",
    "beside_each_other",
    "change_of",
    "changes_of",
    "course",
    "kept_changes",
]
