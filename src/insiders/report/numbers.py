"""The numbers of the nine answers, as page, pictures and JSON hold them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from insiders.evidence.ageing import AgeRecord
from insiders.evidence.gates import GateRecord
from insiders.evidence.hypotheses.claims import Finding
from insiders.evidence.hypotheses.summary import Later
from insiders.evidence.slices import SliceRecord
from insiders.evidence.validation import BaselineRecord, ServingRecord, Validation
from insiders.explore.cohorts import PastNumbers
from insiders.explore.concentration import LorenzPoint
from insiders.explore.insights import InsightNumbers
from insiders.explore.portraits import Portrait
from insiders.explore.products import TypicalProduct
from insiders.explore.profiles import SegmentProfile, Size
from insiders.explore.rfm import RfmNumbers
from insiders.explore.rhythm import OrderShares
from insiders.explore.sizes import Held, RankStep, SegmentStep
from insiders.explore.wholesalers import WholesalerNumbers
from insiders.programme import actions
from insiders.programme.enter import EnterNumbers
from insiders.programme.experiment import PlanNumbers
from insiders.programme.leave import LeaveNumbers
from insiders.programme.payoff import Payoff
from insiders.programme.readout import ReadOut
from insiders.report.listed import ListedInsider, MemberRow
from insiders.value.forecast import Outlook, SegmentOutlook

# --- who ---


class WhoNumbers(Size):
    as_of: str
    segments: list[str]
    country: str | None  # of most Insiders
    insights: list[InsightNumbers]
    country_share: float | None
    typical: dict[str, float]  # medians of the Insiders
    first: list[ListedInsider]
    members: list[MemberRow]  # at most who.MEMBERS_MAX


# --- how_many ---


class SegmentSize(TypedDict):
    segment: str
    is_insider: bool  # most of its customers are
    customers: int
    insiders: int
    customer_share: float
    net_revenue_share: float


class HowManyNumbers(Size):
    """`steps`: the list down to each segment; `sizes`: the same by customers alone; `own`: the list as it is."""

    customer_share: float
    share_min: float
    share_max: float
    horizon_days: int
    segments: list[SegmentSize]
    own: Held | None
    largest: RankStep | None
    steps: list[SegmentStep]
    sizes: list[RankStep]
    curve: list[Held]
    payoff: Payoff


# --- traits ---


class EffectNumbers(TypedDict):
    """Cliff's delta with its interval; null where either side has too few."""

    delta: float | None
    low: float | None
    high: float | None


class TraitMedians(EffectNumbers):
    """Medians and quartiles of both sides; the ratio is null where the others' median is not positive."""

    trait: str
    insiders: float
    others: float
    ratio: float | None
    insiders_quartiles: list[float]
    others_quartiles: list[float]


class TraitEffect(EffectNumbers):
    trait: str
    median: float


class SegmentEffects(TypedDict):
    """The Insiders beside one other segment."""

    segment: str
    traits: list[TraitEffect]


class CountryShares(TypedDict):
    """Shares of the Insiders and of the others who are from this country."""

    country: str
    insiders: float
    others: float


class ReturnShares(TypedDict):
    """Share of the customers who gave anything back, and of the revenue; null where nothing was bought."""

    customers: float | None
    revenue: float | None


class Origin(TypedDict):
    """The earlier champion's segment that a segment continues, and the medians that moved."""

    matched_from: str | None
    changed: Mapping[str, tuple[float, float]]


class SegmentTraits(SegmentProfile, Portrait, Origin):
    in_words: list[str]  # of `apart`


class TraitsNumbers(TypedDict):
    count: int
    medians: list[TraitMedians]
    confidence: float
    against: list[SegmentEffects]
    unsure_below: float
    segments: list[SegmentTraits]
    products: list[TypicalProduct]
    countries: list[CountryShares]
    weekdays: list[OrderShares]
    busiest_weekday: int | None
    hours: list[OrderShares]
    busiest_hour: int | None
    returns: dict[str, ReturnShares]
    wholesalers: WholesalerNumbers
    rfm: RfmNumbers


# --- revenue_share ---


class OfAll(TypedDict):
    """Shares of all that was sold, also without a customer id; null where nothing was."""

    anonymous_gross_revenue: float
    anonymous_net_revenue: float
    gross_revenue_share_of_all: float | None
    net_revenue_share_of_all: float | None


class TopShare(TypedDict):
    """Part of the revenue that this share of the customers, those with the most, holds."""

    customers: float
    held: float | None


class MonthShare(TypedDict):
    """A month (2011-12) with both sides and the Insiders' share; null where it brought nothing."""

    month: str
    insiders: float
    others: float
    is_partial: bool
    share: float | None


class RevenueShareNumbers(OfAll):
    count: int
    customer_share: float
    gross_revenue: float
    net_revenue: float
    insiders_gross_revenue: float
    insiders_net_revenue: float
    gross_revenue_share: float | None
    net_revenue_share: float | None
    largest_left_out: int
    net_revenue_share_without_largest: float | None
    anonymous_share: float | None
    gini_gross: float | None
    gini_net: float | None
    top: list[TopShare]
    lorenz: list[LorenzPoint]
    months: list[MonthShare]
    month_low: MonthShare | None
    month_high: MonthShare | None


# --- expected_revenue ---


class ExpectedRevenueNumbers(Outlook, PastNumbers, Size):
    lifetime_value: list[SegmentOutlook]
    history_days: int  # from the first order of anybody to as_of


# --- guarantee ---

Verdict = Literal["better", "as_good", "worse", "unproven"]


class Capture(TypedDict):
    """What a way to choose as many customers captured of the next period's revenue."""

    name: str
    capture: float


class SearchNumbers(TypedDict):
    """How the candidate was found, and its measures by name."""

    trials: int
    feasible: int
    folds: int
    starts: list[str]  # first days of the periods that the search looked at
    trial: int | None  # none where there was nothing to judge a search by ...
    judged_from: str | None  # ... and the day from which there will be, where it is a matter of time
    embedding: str
    clusterer: str
    score: str
    rule: dict[str, float]


class LedgerRow(TypedDict):
    rule: str
    rows: int
    customers: int
    quantity: int
    amount: float
    action: str


class AcceptedFaults(TypedDict):
    """Differences from what the model was trained on that a person accepted, by name (words.faults), and why."""

    faults: list[str]
    why: str
    on: str


class Provenance(TypedDict):
    """What the tables were made from."""

    source: str
    sha256: str | None
    as_of: str
    model_version: str
    release: str
    judged_version: str
    champion_version: str | None
    seed: int
    currency: str
    accepted: list[AcceptedFaults]


class Afterwards(Later):
    start: str  # the day of the list


class AftermathNumbers(TypedDict):
    """What came after the list of an earlier day, and the experiment with today's."""

    later: Afterwards
    hypotheses: list[Finding]
    verdicts: dict[str, int]
    slices: list[SliceRecord]  # the same list on each kind of customer
    experiment: PlanNumbers
    readout: ReadOut | None  # None before the first decision


class Judgement(Validation):
    """The figures of the untouched last period, the gates, the search, and what the tables were made from."""

    regime: str
    verdict: Verdict  # on the best plain sort
    margin: float
    confidence: float
    baseline: BaselineRecord | None
    gates: list[GateRecord]
    passed: bool
    captures: list[Capture]
    agreement: float | None
    ageing: Sequence[AgeRecord]
    serving: ServingRecord
    search: SearchNumbers
    without_order: int
    ledger: list[LedgerRow]
    provenance: Provenance


class GuaranteeNumbers(Judgement, AftermathNumbers):
    pass


# --- actions ---


class Quality(TypedDict):
    """What came true of the products shown to each customer."""

    hit_rate: float
    recall: float
    ndcg: float
    coverage: float


class PopularQuality(Quality):
    days: int | None  # over which purchases were counted; null: ever


class RecommendedProduct(TypedDict):
    product_code: str
    description: str
    because: str | None


class Example(TypedDict):
    customer_id: str
    products: list[RecommendedProduct]


class RecommendationEvidence(TypedDict):
    """affinity.Recommendations.evidence; null where nothing can be told."""

    tested: int
    shown: int
    on_sale: int
    new_products: float | None
    neighbours: Quality | None
    popularity: PopularQuality | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    verdict: str
    served: str
    tested_from: str
    tested_days: int
    confidence: float
    recipe: Mapping[str, float | None]
    tried: list[Mapping[str, float | None]]
    customers: int


class RecommendationNumbers(RecommendationEvidence):
    ratio_min: float
    on_sale_days: int
    examples: list[Example]


class ActionsNumbers(actions.ActionsNumbers):
    recommendations: RecommendationNumbers


# --- all of them ---


class Answers(TypedDict):
    """The numbers of each answer by its key; in page and JSON its `question` and `answer` stand before them."""

    who: WhoNumbers
    how_many: HowManyNumbers
    traits: TraitsNumbers
    revenue_share: RevenueShareNumbers
    expected_revenue: ExpectedRevenueNumbers
    enter: EnterNumbers
    leave: LeaveNumbers
    guarantee: GuaranteeNumbers
    actions: ActionsNumbers


def tidy(value: object) -> Any:
    """Plain JSON values: numpy's become Python's, floats keep six decimals, what is not a number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): tidy(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return round(value, 6) if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN
    return value
