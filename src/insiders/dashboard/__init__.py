"""The dashboard: one release at a time, in pages of Streamlit. It shows what `answers` makes, and computes nothing."""
