"""Results -> Plotly figures as plain dictionaries; pure, and without Streamlit."""
