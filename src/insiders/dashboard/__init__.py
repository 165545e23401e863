"""The dashboard: one release at a time, in pages of Streamlit. It shows what `answers` makes, and computes nothing."""

from pathlib import Path

APP = Path(__file__).with_name("app.py")  # the script that Streamlit runs for every visitor
