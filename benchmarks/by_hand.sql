-- Customers and features as a person writes them in DuckDB. The same rules of cleaning as notebook.py.
WITH lines AS (
    SELECT DISTINCT * FROM $lines
),
kept AS (
    SELECT
        *,
        CustomerID AS customer_id,
        InvoiceDate::DATE AS day,
        Quantity * UnitPrice AS amount,
        Quantity > 0 AS is_sale,
        StockCode IN ('M', 'm', 'D') AS is_credit,
        (SELECT max(InvoiceDate)::DATE + 1 FROM lines WHERE CustomerID <> '') - InvoiceDate::DATE AS age
    FROM lines
    WHERE CustomerID <> ''
        AND StockCode NOT IN ('POST', 'DOT', 'C2', 'S', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'B')
        AND NOT regexp_matches(StockCode, '^(ADJUST|TEST|gift_0001_)')
        AND UnitPrice > 0
        AND Quantity <> 0
        AND NOT (StockCode IN ('M', 'm', 'D') AND Quantity > 0)
        AND NOT (starts_with(InvoiceNo, 'C') AND Quantity > 0)
),
orders AS (
    SELECT customer_id, InvoiceNo, day, sum(amount) AS gross, count(DISTINCT StockCode) AS products, min(age) AS age
    FROM kept
    WHERE is_sale
    GROUP BY ALL
),
gaps AS (
    SELECT customer_id, avg(gap) AS gap_mean_days, stddev_samp(gap) AS gap_std_days
    FROM (
        SELECT customer_id, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
        FROM (SELECT DISTINCT customer_id, day FROM orders)
    )
    GROUP BY customer_id
),
buyers AS (
    SELECT
        customer_id,
        min(age) AS recency_days,
        max(age) AS tenure_days,
        count(*) AS order_count,
        count(*) * 30 / greatest(max(age), 30) AS orders_per_month,
        count(*) FILTER (age <= 90) AS order_count_90d,
        count(*) FILTER (age <= 180) AS order_count_180d,
        sum(gross) AS gross_revenue,
        max(gross) / sum(gross) AS largest_order_share,
        avg(products) AS products_per_order
    FROM orders
    GROUP BY customer_id
),
money AS (
    SELECT
        customer_id,
        sum(amount)::DOUBLE AS net_revenue,
        sum(amount) FILTER (age <= 90) AS net_revenue_90d,
        sum(amount) FILTER (age <= 180) AS net_revenue_180d,
        sum(amount) FILTER (age <= 365) AS net_revenue_365d,
        sum(amount * exp(-age / 240)) AS faded_revenue,
        -sum(amount) FILTER (NOT is_sale) AS returned_revenue,
        count(DISTINCT StockCode) FILTER (is_sale) AS distinct_product_count
    FROM kept
    GROUP BY customer_id
)
SELECT * FROM buyers JOIN money USING (customer_id) LEFT JOIN gaps USING (customer_id)
