"""Fund houses and schemes as FP lets them be traded: fetched page by page, then written in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from orders import search_words
from orders.feeds.amfi import split_category
from orders.models import FileRun, Scheme
from orders.operations import file_runs, nav_store, navs, search_index
from portal.errors import Failure
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages

Progress = Callable[[str, int, int], None]

# A list that has shrunk to less than this part of what we had active is no list to believe.
LEAST_OF_KNOWN = 0.5
OPTIONS = {
    "GROWTH": Scheme.Option.GROWTH,
    "DIV_PAYOUT": Scheme.Option.IDCW_PAYOUT,
    "DIV_REINVESTMENT": Scheme.Option.IDCW_REINVESTMENT,
}
ASSET_CLASSES = frozenset({"EQUITY", "DEBT", "HYBRID"})


class SyncIncomplete(Failure):
    """Raised when FP's list is visibly not whole; nothing was changed."""

    code = "sync_incomplete"


@dataclass(frozen=True)
class Synced:
    """What a sync did: schemes that FP lists, rows that changed, schemes that became inactive."""

    listed: int
    changed: int
    ended: int


def sync(*, at: datetime, progress: Progress = navs.quiet) -> Synced:
    """Our schemes are FP's: new ones appear, changed ones change, those that FP no longer lists become inactive.

    Raises GatewayError, or SyncIncomplete when the list has gaps or has shrunk by half; then nothing was changed.
    """
    with file_runs.kept(FileRun.Pipeline.SCHEMES, at=at) as run:
        houses = fp.client().list_amcs()
        listed = _fetch(progress, run)
        with transaction.atomic():
            _refuse_a_shrunken_list(len(listed))
            _write_houses(houses, {scheme.amc_id for scheme in listed.values() if scheme.amc_id})
            changed = _write_schemes(listed.values(), {house.id: house.name for house in houses}, at)
            ended = _end_unlisted(at)
            progress("schemes new or changed", changed, len(listed))
            nav_store.show_latest()
            search_index.build()
        run.changed = changed + ended
    progress("search index built", len(listed), len(listed))
    return Synced(len(listed), changed, ended)


def _fetch(progress: Progress, run: FileRun) -> dict[str, messages.Scheme]:
    """Every scheme by ISIN; FP's pages may overlap when its list changes underneath. The run is told what was read."""
    listed: dict[str, messages.Scheme] = {}
    without_house: dict[str, str] = {}
    seen = total = 0
    for page in fp.client().list_schemes():
        listed |= {scheme.isin: scheme for scheme in page.fund_schemes if scheme.amc_id}
        without_house |= {scheme.isin: scheme.name for scheme in page.fund_schemes if not scheme.amc_id}
        seen, total = seen + len(page.fund_schemes), page.total_elements
        progress("schemes fetched from FP", seen, max(seen, total))
    run.fingerprint = file_runs.fingerprint(map(_row, listed.values()))
    run.lines, run.unreadable = len(listed) + len(without_house), len(without_house)
    run.bad_lines = file_runs.bad_lines(
        (0, f"{isin} {name}", "names no fund house") for isin, name in without_house.items()
    )
    if seen < total:
        raise SyncIncomplete(f"FP speaks of {total} schemes and listed {seen}. Nothing was changed.")
    return listed


def _refuse_a_shrunken_list(listed: int) -> None:
    known = Scheme.objects.filter(is_active=True).count()
    if listed < LEAST_OF_KNOWN * known:
        raise SyncIncomplete(f"FP lists {listed} schemes, we know {known} active ones. Nothing was changed.")


def _write_houses(houses: list[messages.Amc], used: set[str]) -> None:
    """A fund house that FP uses but does not name gets a name that says so, so that its schemes are not lost."""
    named = {house.id: (house.name, house.active) for house in houses}
    unnamed = {ref: (f"Fund house {ref} (not named by FP)", True) for ref in used - set(named)}
    rows = named | unnamed
    with connection.cursor() as cursor:
        values = list(rows.values())
        cursor.execute(_HOUSES, [list(rows), [name[:120] for name, _ in values], [active for _, active in values]])


def _write_schemes(listed: Iterable[messages.Scheme], houses: dict[str, str], at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(f"COPY scheme_stage ({', '.join(COLUMNS)}, amc_ref, search) FROM STDIN") as copy:
            for scheme in listed:
                row = _row(scheme)
                copy.write_row((*row, scheme.amc_id, _search(row, houses.get(scheme.amc_id or "", ""))))
        # A temporary table has no statistics of its own accord, and without them the joins below may be planned badly.
        cursor.execute("ANALYZE scheme_stage")
        cursor.execute(_UPSERT, {"at": at})
        changed: int = cursor.rowcount
    return changed


def _row(scheme: messages.Scheme) -> tuple[object, ...]:
    """FP's scheme in the order of COLUMNS."""
    kind, category = split_category(scheme.sub_category or "")
    asset_class = (scheme.fund_category or kind).upper()
    name = " ".join(scheme.name.split())[:250]
    code = scheme.amfi_code or ""
    return (
        scheme.isin,
        int(code) if code.isdigit() else None,
        name,
        asset_class if asset_class in ASSET_CLASSES else Scheme.AssetClass.OTHER,
        category[:80],
        scheme.plan_type if scheme.plan_type in Scheme.Plan.values else _plan_in(name),
        OPTIONS.get(scheme.investment_option or "") or _option_in(name),
        scheme.active and not scheme.merged,
        scheme.close_ended,
        scheme.purchase_allowed and not scheme.merged,
        scheme.redemption_allowed,
        scheme.sip_allowed,
        scheme.switch_in_allowed,
        scheme.insta_redemption_allowed,
        scheme.lock_in_period if scheme.lock_in else None,
        scheme.min_initial_investment,
        scheme.max_initial_investment,
        scheme.initial_investment_multiples,
        scheme.min_additional_investment,
        scheme.max_additional_investment,
        scheme.additional_investment_multiples,
        scheme.min_sip_amount,
        scheme.max_sip_amount,
        scheme.sip_multiples,
        scheme.min_sip_installments,
        ",".join(map(str, scheme.sip_frequency_data.days)) if scheme.sip_frequency_data else "",
        scheme.min_withdrawal_amount,
        scheme.max_withdrawal_amount,
        scheme.withdrawal_multiples,
        scheme.min_withdrawal_units,
        scheme.max_withdrawal_units,
    )


def _search(row: tuple[object, ...], house: str) -> str:
    """What a new scheme is found by; `search_index.build` corrects it when something of it changes later."""
    named = dict(zip(COLUMNS, row, strict=True))
    return search_words.document(
        name=str(named["name"]),
        house=house,
        kinds=search_index.kinds(*(str(named[name]) for name in ("category", "asset_class", "plan", "option"))),
        codes=search_index.codes(scheme_isin=str(named["isin"]), amfi_code=named["amfi_code"]),
    )


def _plan_in(name: str) -> str:
    return Scheme.Plan.DIRECT if "direct" in name.lower() else Scheme.Plan.REGULAR


def _option_in(name: str) -> str:
    return Scheme.Option.GROWTH if "growth" in name.lower() else Scheme.Option.IDCW_PAYOUT


def _end_unlisted(at: datetime) -> int:
    """Schemes that FP no longer lists are inactive."""
    with connection.cursor() as cursor:
        cursor.execute(_END, [at])
        ended: int = cursor.rowcount
    return ended


COLUMNS = (
    "isin amfi_code name asset_class category plan option is_active is_close_ended purchase_allowed redemption_allowed "
    "sip_allowed switch_in_allowed instant_redemption_allowed lock_in_years min_first max_first step_first min_more "
    "max_more step_more min_sip max_sip step_sip min_sip_instalments sip_days min_redeem max_redeem step_redeem "
    "min_redeem_units max_redeem_units"
).split()
_HOUSES = """
    INSERT INTO orders_fundhouse AS known (provider_ref, name, is_active)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::boolean[])
    ON CONFLICT (provider_ref) DO UPDATE SET name = excluded.name, is_active = excluded.is_active
     WHERE (known.name, known.is_active) IS DISTINCT FROM (excluded.name, excluded.is_active)
"""
_STAGE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS scheme_stage ON COMMIT DELETE ROWS AS
        SELECT {", ".join(COLUMNS)}, ''::text AS amc_ref, search FROM orders_scheme WITH NO DATA;
    DELETE FROM scheme_stage;
"""  # noqa: S608 - column names of our own
# A category that FP leaves out keeps what AMFI's file said.
_KEPT = {"category": "COALESCE(NULLIF(excluded.category, ''), known.category)"}
_NEW = {name: _KEPT.get(name, f"excluded.{name}") for name in COLUMNS if name != "isin"}
_UPSERT = f"""
    INSERT INTO orders_scheme AS known ({", ".join(COLUMNS)}, fund_house_id, exit_load_note, synced_at, search)
    SELECT {", ".join(f"stage.{name}" for name in COLUMNS)}, house.id, '', %(at)s, stage.search
      FROM scheme_stage stage JOIN orders_fundhouse house ON house.provider_ref = stage.amc_ref
    ON CONFLICT (isin) DO UPDATE
       SET {", ".join(f"{name} = {value}" for name, value in _NEW.items())},
           fund_house_id = excluded.fund_house_id, synced_at = excluded.synced_at
     WHERE ({", ".join(f"known.{name}" for name in _NEW)}, known.fund_house_id)
        IS DISTINCT FROM ({", ".join(_NEW.values())}, excluded.fund_house_id)
"""  # noqa: S608 - column names of our own, no value of anybody's
_END = """
    UPDATE orders_scheme SET is_active = false, purchase_allowed = false, sip_allowed = false, synced_at = %s
     WHERE is_active AND NOT EXISTS (SELECT 1 FROM scheme_stage stage WHERE stage.isin = orders_scheme.isin)
"""
