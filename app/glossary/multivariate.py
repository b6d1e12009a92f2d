"""What the words of "All at once" and "Does it matter" mean."""

from __future__ import annotations

from app.glossary.base import Explanation

MULTIVARIATE: dict[str, Explanation] = {
    "domain_classifier": Explanation(
        "Domain classifier",
        "A rule is fitted to tell the window's rows from the reference's by all features together, pairs of features "
        "included. The area under its ROC curve is measured on days the rule has not seen.",
        r"\mathrm{AUC} = P(s_\text{window} > s_\text{reference}), \quad \mathrm{TV} \ge 2\,\mathrm{AUC} - 1",
        "0.5: the sides cannot be told apart. 1: every row gives its side away. Usual is what the same rule reaches "
        "when whole days change sides at random: days differ, so usual lies above 0.5. At least twice the "
        "excess, as a "
        "share, of the rows must have moved.",
        "Whether the model minds, and in which direction the rows moved. It sees a sample, whose size stands below.",
    ),
    "reconstruction_error": Explanation(
        "Reconstruction error",
        "Principal components are fitted on half of the reference's days; the error is the mean distance of "
        "a row from "
        "what the components can describe. The other half, in stretches as long as the window, says what is usual.",
        r"\lVert z - W W^\top z \rVert",
        "Above usual: features hang together in a way the reference does not know. Below: more alike than ever.",
        "Anything about moves along the components, which the classifier finds.",
    ),
    "carriers": Explanation(
        "Which features carry it",
        "How much of the classifier's area is lost when one feature's values are exchanged among rows, so "
        "that it and its "
        "links with all others say nothing any more.",
        None,
        "The longest bar carries most. Two features that say the same can each lose little: the table's "
        "area alone shows "
        "what each does by itself. Below 0.5 alone means that no rule learned on some days holds on others.",
        "Which feature broke. A feature can carry the difference because another one moved it.",
    ),
    "newest_rows": Explanation(
        "Rows most unlike the reference",
        "Sampled rows of the window with the highest out-of-fold score of the classifier.",
        None,
        "Reference rows newer still: the share of the reference's rows that look even more like this window. Near 0 "
        "means that nothing like it is in the reference.",
        "That the model was wrong on them.",
        "share",
    ),
    "text_profile": Explanation(
        "Texts and embeddings in plain numbers",
        "Length in characters and tokens (runs of letters and digits of any script), shares of digits, "
        "punctuation, upper "
        "case and non-ASCII characters, missing ones, and the length (norm) of embeddings: window against reference.",
        None,
        "The interval of a difference lies away from 0 where a measure moved. p-values are corrected within "
        "a column.",
        "What the texts say. No words are shown or stored.",
    ),
    "rich_columns": Explanation(
        "Text and embedding columns",
        "Each such column on its own: the classifier sees hashed pieces of words (texts) or principal components "
        "(embeddings), and what chance gives is found in the same way as for features.",
        None,
        "Above usual: what is written, or what the encoder makes of it, is not what it was.",
        "Which words moved.",
    ),
    "damage_map": Explanation(
        "Drift against damage",
        "To the right: the share of rows by which a feature moved beyond chance. Upwards: how much quality "
        "depends on it: "
        "its share of the logged attributions or, where none are logged, the mutual information of the "
        "feature and the "
        "loss of the row, on labelled rows outside the window, less what chance gives.",
        r"I(X; L) = \sum_{x,l} p(x,l) \log_2 \frac{p(x,l)}{p(x)\,p(l)}",
        "Top right, red: moved and matters; look there first. Bottom right: moved, but the model hardly "
        "minds. The dotted "
        "line is where a feature begins to matter: 0.01 bits, what a correlation of .12 gives, or an equal share of "
        "attributions. Whiskers are 95% intervals.",
        "That the move did harm: look at quality of the same window. Mutual information is of what was, not "
        "of what the "
        "model would do at values it has never seen.",
    ),
}  # fmt: skip
