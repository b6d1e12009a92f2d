"""What the words of the Examples page mean."""

from __future__ import annotations

from app.glossary.base import Explanation

EXAMPLES: dict[str, Explanation] = {
    "example_kinds": Explanation(
        "Kinds of rows",
        "Disagreeing: requests that versions see most differently, those decided differently first. Suspected labels: "
        "rows whose label is improbable by the logged score and by a model fitted on other days. Unlike reference: "
        "rows farthest from all reference rows, the newest first among equals.",
        r"p_i = \mathrm{norm}\left(\sqrt{p_\text{logged}\; p_\text{out of fold}}\right), \quad "
        r"t_j = \overline{p_j \mid \text{label } j}",
        "A label is suspected where another class reaches the mean probability it has among the rows that carry it; "
        "the less probable the given label, the higher the row.",
        "That the label is wrong. Where chance decides outcomes, rare truths look the same as mistakes.",
    ),
    "diverse": Explanation(
        "A row a problem",
        "Slices of one column that hold more of these rows than of all rows, by most standard errors; found one after "
        "another, each on the rows outside of the ones before. The first row of each stands for it.",
        r"z = \frac{x - n q}{\sqrt{n q (1 - q) (1 + n / m)}}",
        "Problem is the slice the row stands for. A row without one shares nothing with the others.",
        "Why the slice is over-represented: it may be a cause or only be where the causes are.",
    ),
    "versions_side_by_side": Explanation(
        "Versions side by side",
        "All rows with the same request: what every version made of the same input.",
        None,
        "The same label stands behind all of them: it is what became of the request.",
        "Which version is better on the whole: see Quality for that.",
    ),
    "unusual_features": Explanation(
        "Unusual features",
        "Each feature of this row among a seeded sample of the reference: for numbers the share of reference rows "
        "below it, for texts the share with the same text.",
        None,
        "Unusual: at most 1% of the reference is as extreme (half a percent at either end), or carries a value as "
        "rare.",
        "That the feature made the row go wrong. One in a hundred features is unusual on any row.",
        "share",
    ),
    "unit_history": Explanation(
        "History of its unit",
        "Rows of the same unit and version around this one: the score of each over time, and whether its decision came "
        "true.",
        None,
        "A ring stands around the row that is open. Circles were right, crosses wrong, open circles are not judged "
        "yet.",
        "Anything about other units.",
    ),
    "neighbours": Explanation(
        "Rows most like it",
        "The nearest rows of the same version in a seeded sample of the window, by Gower's distance: numbers by the "
        "difference of their places in the sample, texts by whether they agree, averaged over the features.",
        r"d(a, b) = \frac{1}{K} \sum_k \lvert F_k(a_k) - F_k(b_k) \rvert",
        "0: alike in everything. Labels of near rows tell what usually becomes of rows like this one.",
        "That all features matter alike to the model: here they do.",
    ),
    "map_of_errors": Explanation(
        "Map of errors",
        "Sampled rows in two dimensions: the two directions in which their standardised features (or embeddings) "
        "differ most, or UMAP of the leading ten. Colour is the loss.",
        r"Z = U S V^\top, \quad (x, y) = U_{1,2} S_{1,2}",
        "Marks near one another are alike in most features. The axes name the columns that weigh most, with their "
        "signs.",
        "Distances in UMAP have no scale; and two directions leave most of the variance out: see the tile.",
    ),
    "error_clusters": Explanation(
        "Clusters of errors",
        "The fifth of the labelled rows with the highest loss, grouped by k-means in the leading components; of 2 to 8 "
        "groups those with the best silhouette. Named by up to two slices that hold more of the cluster than of all "
        "other rows.",
        None,
        "Costly share: of all labelled rows nearest to the cluster, those that are costly, with a 95% interval; 20% "
        "everywhere were losses spread evenly. Above it, the region is worse than the rest.",
        "That the name is the cause. Segments tests slices with correction for having looked at many.",
        "share",
    ),
    "regression_sets": Explanation(
        "Pass rates",
        "The share of each set's rows that a version gets right: its decision is the label (a regression: within the "
        "median absolute error), with Wilson's 95% interval.",
        r"\frac{\hat p + z^2 / 2n \pm z \sqrt{\hat p (1 - \hat p) / n + z^2 / 4n^2}}{1 + z^2 / n}",
        "A new version that fails rows which the one before passed has forgotten something.",
        "How good a version is: pinned rows are chosen by people, not drawn.",
        "share",
    ),
    "pinned_rows": Explanation(
        "Pinned rows",
        "Every row of a set as every version on the same request answered it.",
        None,
        "Not known: no label yet, or no decision logged.",
        "Versions that never saw the request are not asked about it.",
    ),
}  # fmt: skip
