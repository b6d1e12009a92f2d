"""What the words of a plan from the logs mean."""

from __future__ import annotations

from app.glossary.base import Explanation

PLANS: dict[str, Explanation] = {
    "power_by_day": Explanation(
        "Power by day",
        "The chance to show the effect, for an experiment that ends on that day, on the units that the logs say will "
        "have arrived by then. Below: those units. Who comes back is not a new unit, so the curve bends.",
        r"\Phi\!\left( \frac{|\delta_d|}{\sigma_d} \sqrt{\frac{u_d}{1/r + 1/r_c}} - z_{1-\alpha/2} \right)",
        "One look at the end; a few planned looks; a look every day with a confidence sequence, where the line is the "
        "chance to have decided by that day. Bands run from the least to the most favourable end of baseline and "
        "arrivals; the dashed line is the power that is wanted, the dotted one the day by which. On shaded days "
        "arrivals are continued beyond the logs. Where a value grows with the days a unit is followed, its spread may "
        "grow faster than units arrive: then a longer experiment shows less, and the line falls.",
        "That the next weeks are like the last ones. A campaign or a holiday is not in it.",
    ),
    "effect_by_day": Explanation(
        "Effect seen by day",
        "The smallest effect that is shown with the wanted power, by the day on which the experiment ends.",
        r"\delta = (z_{1-\alpha/2} + z_\text{power})\, \mathrm{SE}_d",
        "The dashed line is the effect asked about. Where the curve flattens, waiting brings little more.",
        "That a smaller effect cannot be found: it is found less often.",
    ),
    "plan_ranking": Explanation(
        "Metrics by days to decide",
        "Every metric with the effect asked about: units, days, and the share of traffic an arm needs to decide in "
        "time. A guardrail's effect is its margin, which is to be ruled out.",
        None,
        "Days with planned looks and with a look every day are averages if the effect is there. The range of days "
        "comes from the interval of the baseline and from how arrivals differ between starts. Primary and secondary "
        "metrics of an experiment share its alpha.",
        "Which metric matters. A metric that decides soon and that nobody cares for decides nothing.",
    ),
    "plan_horizons": Explanation(
        "Baseline by horizon",
        "The metric over the units first met in the last one, two, three and four weeks, each followed to the end of "
        "its window, as an experiment of that length would.",
        r"\sigma_h^2 \neq h\, \sigma_1^2",
        "Value and variance grow with the time a unit is followed, and not in proportion: so the variance of a day "
        "times the number of days is wrong either way. Plans take the horizon as long as the experiment, by straight "
        "lines between them, and the last one beyond.",
        "What units do after four weeks.",
    ),
    "weekday_bars": Explanation(
        "Units by weekday",
        "Mean number of distinct units on each day of the week, over the logs that are read (twelve weeks at most).",
        None,
        "Who comes on a Sunday differs from who comes on a Tuesday: an experiment of whole weeks meets all of them in "
        "their usual mix.",
        "Holidays.",
    ),
}
