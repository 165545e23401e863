"""Keys that other programs read, in their order: the outside contract, worked out by hand."""

METRICS = {
    "data": "rows rows_kept customers gross_revenue net_revenue anonymous_share as_of",
    "model": "version embedding clusterer segments silhouette control_gap stability "
    "stability_rand foresight_lift foresight",
    "insiders": "count customer_share revenue_share net_revenue_share",
    "search": "folds value_lift_mean value_lift_min value_oracle_mean",
    "validation": "value_capture value_lift value_lift_low value_lift_high value_oracle value_over_random "
    "value_over_random_low top_n_capture clv_capture regime best_sort sort_lift sort_lift_low sort_lift_high",
    "forecast": "horizon_days expected low high backtest_mase coverage",
    "programme": "members joined left flip_share_worst release",
}
ANSWERS = "who how_many traits revenue_share expected_revenue enter leave guarantee actions"
