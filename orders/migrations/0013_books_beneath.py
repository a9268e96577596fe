"""What a firm sees of the firms beneath it: sums of their books, and never an investor."""

from django.db import migrations

SUMS = """
-- It looks over the wall, and only beneath whoever reads: nobody names a firm to it.
CREATE FUNCTION orders_books_beneath() RETURNS TABLE (
    partner_id bigint, head_id bigint, level integer, name varchar, arn varchar, arn_until date, is_active boolean,
    ready bigint, on_the_way bigint, assets numeric, unvalued bigint,
    nav_from date, nav_to date, sips bigint, sips_monthly numeric, open_orders bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE before text := current_setting('portal.scope', true); reader bigint := portal_scope_partner();
BEGIN
    PERFORM set_config('portal.scope', 'all', false);
    RETURN QUERY
    WITH RECURSIVE firms (id, level) AS (
        SELECT p.id, 1 FROM portal_partner p WHERE p.head_id = reader
        UNION ALL SELECT p.id, firms.level + 1 FROM firms JOIN portal_partner p ON p.head_id = firms.id
                   WHERE firms.level < 3
    )
    SELECT firms.id, firm.head_id, firms.level, firm.name, firm.arn, firm.arn_until, firm.is_active, people.ready,
           people.on_the_way, held.assets, held.unvalued, held.nav_from, held.nav_to, plans.sips, plans.sips_monthly, under_way.orders
      FROM firms
      JOIN portal_partner firm ON firm.id = firms.id
     CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE i.state = 'READY') AS ready, count(*) FILTER (WHERE i.state <> 'READY') AS on_the_way
          FROM investors_investor i WHERE i.partner_id = firms.id) people
     CROSS JOIN LATERAL (
        SELECT round(coalesce(sum(h.units * s.nav), 0), 2) AS assets, count(*) FILTER (WHERE s.nav IS NULL) AS unvalued,
               min(s.nav_on) AS nav_from, max(s.nav_on) AS nav_to
          FROM investors_investor i JOIN orders_holding h ON h.investor_id = i.id AND h.units > 0
          JOIN orders_scheme s ON s.id = h.scheme_id
         WHERE i.partner_id = firms.id) held
     CROSS JOIN LATERAL (
        SELECT count(*) AS sips, coalesce(sum(p.amount), 0) AS sips_monthly
          FROM investors_investor i JOIN orders_plan p ON p.investor_id = i.id AND p.state = 'ACTIVE'
         WHERE i.partner_id = firms.id) plans
     CROSS JOIN LATERAL (
        SELECT count(*) AS orders
          FROM investors_investor i JOIN orders_mforder o ON o.investor_id = i.id AND o.state IN
               ('CREATED', 'SUBMITTING', 'AWAITING_PAYMENT', 'PAID', 'PLACED')
         WHERE i.partner_id = firms.id) under_way;
    PERFORM set_config('portal.scope', before, false);
END $$;
"""
NO_SUMS = "DROP FUNCTION orders_books_beneath();"


class Migration(migrations.Migration):
    dependencies = [("orders", "0012_earnings"), ("portal", "0009_firms_beneath")]

    operations = [migrations.RunSQL(SUMS, NO_SUMS)]
