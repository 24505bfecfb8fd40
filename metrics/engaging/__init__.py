"""Engagement, relationship health and the client score: from facts to figures.

The stored rows and the keys of their `detail`; a number that is not there is null.

**One client, population "", period rolling90.** `n` counts the events seen in the window,
`label` is the band (`at risk`, `fragile`, `sound`, `strong`).

- `cei`: gate NO_REFERENCE or LOW_COVERAGE where the value is null, else
  `coverage` (weights that are there, 0..1),
  `components` by name (login, pv, ctr, usage, offline), each
  `{score, raw, weight, contribution, reason}`: `weight` is the effective one, contributions add
  up to the value, `reason` is empty or why the component is missing,
  `from` and `to` (first and last day of the window),
  `reference` (its version), `change` (null or `{since, before, value, parts}` against the window
  that ended 90 days before; `parts` by component `{behaviour, availability}` add up to `value`),
  `bridge` (only in the quarter after a new reference: `{version, value}` by the one before).
- `cei_login`, `cei_pv`, `cei_ctr`, `cei_usage`, `cei_offline`: the score of one component; gate
  is the reason where it is missing (NO_CONTRACT, SPONSOR_SERVED, LOG_OUTAGE, NO_MESSAGES,
  NOTHING_HELD, CONSENT_WITHDRAWN, NO_REFERENCE), else `raw`, `low` and `high` (the bounds of the
  reference in the unit of `raw`), `group` (of the reference, empty for the bank), and of login
  and pv `sum` and `users`, of ctr `clicks`, `messages`, `usual` and `strength`, of usage `used`,
  `held`, `depth` (its `raw` is the depth) and `depth_score`.

**One client, population relational, period rolling12m.**

- `health`: `n` people who answered; gate LOW_COVERAGE where fewer than two parts are there,
  MIN_RESPONSES where there are few answers that must not be seen one by one, else
  `parts` by name (trust, satisfaction, loyalty), each `{score, contribution}`, `coverage`,
  `uncapped`, `ceiling` (the code of the one that applies, or empty), `ceilings` (all that hold).
  A client silent for a year has the health of what it said within two, with SILENT_12M among
  the ceilings and in `flags`, and no client score.
- `client_score`: `parts` by name (health, cei), each `{score, contribution}`, `coverage`.

**One client, population "", a quarter that is over**: the same six metrics as of its last day,
from the first quarter of the oldest reference on; `change` is null.

**Bank, team, segment of either: all these metrics**, each the mean over clients with the t
interval of the mean; `n` and `clients` are the clients that have one, `eligible` all active
ones. `detail`: `sd`, `bands` (clients by band, not of components), and of `cei` `change` as in
`comparing.keeping`.
"""

from metrics.engaging.clients import rows_of_clients
from metrics.engaging.past import Past, mark, on, quarters, rows_of
from metrics.engaging.stamps import ROLLING, YEAR, Series, Today
from metrics.engaging.units import (
    INDEX,
    MEAN,
    VERSION,
    Part,
    Told,
    mean,
    metrics_of,
    of_clients,
    of_day,
    rows_of_units,
    without_reference,
)

__all__ = [
    "INDEX",
    "MEAN",
    "ROLLING",
    "VERSION",
    "YEAR",
    "Part",
    "Past",
    "Series",
    "Today",
    "Told",
    "mark",
    "mean",
    "metrics_of",
    "of_clients",
    "of_day",
    "on",
    "quarters",
    "rows_of",
    "rows_of_clients",
    "rows_of_units",
    "without_reference",
]
