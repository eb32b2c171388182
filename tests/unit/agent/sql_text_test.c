// SPDX-License-Identifier: Apache-2.0
/* What a span says of an SQL text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/sql_text.h"

static const char *summary(const char *sql, enum sql_dialect dialect)
{
	static char buf[SQL_SUMMARY_MAX + 1];
	struct otlp_text text = {sql, strlen(sql)};

	buf[sql__summary(text, dialect, buf)] = '\0';
	return buf;
}

static const char *redacted(const char *sql, enum sql_dialect dialect)
{
	static char buf[4096];
	struct otlp_text text = {sql, strlen(sql)};

	buf[sql__redact(text, dialect, buf)] = '\0';
	return buf;
}

#define SUMMARY(sql, want) assert_string_equal(summary(sql, SQL_STANDARD), want)
#define REDACT(sql, want) assert_string_equal(redacted(sql, SQL_STANDARD), want)

static void test_operation_and_target(void **state)
{
	(void)state;
	SUMMARY("SELECT * FROM orders WHERE id = 5", "SELECT orders");
	SUMMARY("select id from orders", "SELECT orders");
	SUMMARY("  \n\tSELECT 1", "SELECT");
	SUMMARY("INSERT INTO orders (id, name) VALUES (1, 'x')", "INSERT orders");
	SUMMARY("INSERT INTO orders(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1, b = 2",
		"INSERT orders");
	SUMMARY("INSERT OR REPLACE INTO orders VALUES (1)", "INSERT orders");
	SUMMARY("INSERT IGNORE INTO orders VALUES (1)", "INSERT orders");
	SUMMARY("UPDATE orders SET a = 1, b = 2 WHERE c", "UPDATE orders");
	SUMMARY("UPDATE ONLY orders SET a = 1", "UPDATE orders");
	SUMMARY("DELETE FROM orders WHERE id IN (1, 2)", "DELETE orders");
	SUMMARY("DELETE FROM orders USING customers WHERE a = b", "DELETE orders customers");
	SUMMARY("MERGE INTO orders USING staged ON a = b WHEN MATCHED THEN UPDATE SET a = 1 "
		"WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
		"MERGE orders staged");
	SUMMARY("TRUNCATE TABLE orders", "TRUNCATE orders");
	SUMMARY("CALL close_books(2026, 'x')", "CALL close_books");
	SUMMARY("COPY orders FROM '/tmp/secret' WITH CSV", "COPY orders");
	SUMMARY("COPY orders FROM STDIN", "COPY orders");
}

static void test_several_targets(void **state)
{
	(void)state;
	SUMMARY("SELECT * FROM songs, artists WHERE songs.a = artists.a", "SELECT songs artists");
	SUMMARY("SELECT * FROM songs AS s, artists a, labels WHERE a, b",
		"SELECT songs artists labels");
	SUMMARY("SELECT * FROM a LEFT OUTER JOIN b ON a.x = b.x INNER JOIN c USING (x), d",
		"SELECT a b c d");
	SUMMARY("INSERT INTO shipping (a, b) SELECT a, b FROM orders WHERE id = 3",
		"INSERT shipping SELECT orders");
	SUMMARY("SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.c = c.c) x, y",
		"SELECT SELECT orders customers y");
	SUMMARY("SELECT a FROM b WHERE c IN (SELECT d FROM e)", "SELECT b SELECT e");
	SUMMARY("SELECT a FROM b UNION ALL SELECT c FROM d", "SELECT b SELECT d");
	SUMMARY("UPDATE a SET x = b.x FROM b WHERE a.y = b.y", "UPDATE a b");
	SUMMARY("BEGIN; UPDATE a SET b = 1; DELETE FROM c", "BEGIN UPDATE a DELETE c");
	SUMMARY("UPDATE a x, b AS y JOIN c USING (id), d SET x.a = 1, e = 2", "UPDATE a b c d");
	SUMMARY("DELETE FROM a USING b, c WHERE 1 = 1", "DELETE a b c");
	SUMMARY("DELETE FROM a USING b JOIN c USING (id), d", "DELETE a b c d");
	SUMMARY("DELETE FROM a USING", "DELETE a");
}

static void test_joins_in_parentheses(void **state)
{
	(void)state;
	SUMMARY("SELECT a FROM (b JOIN c USING (id)) JOIN d USING (id), e", "SELECT b c d e");
	SUMMARY("SELECT a FROM ((lock x LEFT JOIN c ON 1 = 1) JOIN (SELECT d FROM e) f ON 1 = 1)",
		"SELECT lock c SELECT e");
	SUMMARY("SELECT a FROM b, (c CROSS JOIN d), ONLY (e)", "SELECT b c d e");
	SUMMARY("SELECT a FROM (VALUES (1), (2)) AS v(a), b", "SELECT b");
	SUMMARY("SELECT a FROM ((SELECT b FROM c) UNION (SELECT d FROM e)) f",
		"SELECT SELECT c SELECT e");
	SUMMARY("SELECT a FROM (WITH b AS (SELECT 1 FROM c) SELECT * FROM b) d",
		"SELECT SELECT c SELECT");
	SUMMARY("SELECT a FROM (?), b", "SELECT b");
}

/* MySQL and SQL Server do without INTO and FROM. */
static void test_targets_without_announcement(void **state)
{
	(void)state;
	SUMMARY("INSERT t VALUES (1)", "INSERT t");
	SUMMARY("INSERT IGNORE comment (a) SELECT b FROM c", "INSERT comment SELECT c");
	SUMMARY("INSERT HIGH_PRIORITY INTO t VALUES (1)", "INSERT t");
	SUMMARY("INSERT ALL INTO a VALUES (1) INTO b VALUES (2) SELECT 3 FROM c",
		"INSERT a b SELECT c");
	SUMMARY("INSERT FIRST WHEN 1 = 1 THEN INTO a VALUES (1) SELECT 3 FROM c",
		"INSERT a SELECT c");
	SUMMARY("INSERT OVERWRITE TABLE t SELECT a FROM b", "INSERT t SELECT b");
	SUMMARY("REPLACE DELAYED t VALUES (1)", "REPLACE t");
	SUMMARY("DELETE t WHERE a = 1", "DELETE t");
	SUMMARY("DELETE", "DELETE");
	SUMMARY("DELETE o FROM orders o JOIN c ON 1 = 1", "DELETE orders c");
	SUMMARY("DELETE a, b FROM a JOIN b ON 1 = 1", "DELETE a b");
	SUMMARY("DELETE a.*, b.* FROM a JOIN b ON 1 = 1", "DELETE a b");
	SUMMARY("DELETE TOP (5) FROM t", "DELETE t");
	SUMMARY("UPDATE TOP (5) t SET a = 1", "UPDATE");
	SUMMARY("MERGE t USING s ON 1 = 1 WHEN MATCHED THEN UPDATE SET a = 1, b = 2", "MERGE t s");
}

static void test_common_table_expressions(void **state)
{
	(void)state;
	SUMMARY("WITH t AS (SELECT * FROM orders) SELECT * FROM t JOIN u ON 1 = 1",
		"SELECT orders SELECT u");
	SUMMARY("WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t), s AS "
		"(SELECT 1 FROM r) DELETE FROM orders WHERE id IN (SELECT n FROM t)",
		"SELECT SELECT r DELETE orders SELECT");
	SUMMARY("INSERT INTO a (b) WITH t AS (SELECT 1) SELECT * FROM t, c",
		"INSERT a SELECT SELECT c");
	SUMMARY("CREATE VIEW v AS WITH t AS (SELECT 1) SELECT * FROM t",
		"CREATE VIEW v SELECT SELECT");
	SUMMARY("WITH t AS (INSERT INTO a VALUES (1) RETURNING b), u AS (UPDATE c SET d = 1) "
		"SELECT * FROM t",
		"INSERT a UPDATE c SELECT");
}

static void test_names(void **state)
{
	(void)state;
	SUMMARY("SELECT * FROM public.orders", "SELECT public.orders");
	SUMMARY("SELECT * FROM \"Public\".\"My Orders\" o", "SELECT Public.My Orders");
	SUMMARY("SELECT * FROM `shop`.`orders`", "SELECT shop.orders");
	SUMMARY("SELECT * FROM orders_2026", "SELECT orders_2026");
	SUMMARY("SELECT * FROM bestellungen_ä", "SELECT bestellungen_ä");
	assert_string_equal(summary("SELECT * FROM [dbo].[Orders]", SQL_SERVER),
			    "SELECT dbo.Orders");
	assert_string_equal(summary("SELECT a INTO #mine FROM ##all_1 JOIN [#x] ON 1", SQL_SERVER),
			    "SELECT #mine ##all_1 #x");
	assert_string_equal(summary("UPDATE a#b@c SET d = @e", SQL_SERVER), "UPDATE a#b@c");
	SUMMARY("SELECT * FROM generate_series(1, 3) AS n", "SELECT generate_series");
}

/* What is an operation or an option elsewhere may be what a table or column is called. */
static void test_names_that_are_keywords(void **state)
{
	(void)state;
	SUMMARY("SELECT body FROM comment WHERE id = $1", "SELECT comment");
	SUMMARY("UPDATE comment SET body = $1", "UPDATE comment");
	SUMMARY("insert into comment (a) values ($1)", "INSERT comment");
	SUMMARY("INSERT INTO release VALUES (1)", "INSERT release");
	SUMMARY("DELETE FROM start WHERE a", "DELETE start");
	SUMMARY("SELECT * FROM show s JOIN \"comment\" c ON 1 = 1", "SELECT show comment");
	SUMMARY("SELECT * FROM orders o JOIN call ON o.c = call.id", "SELECT orders call");
	SUMMARY("SELECT * FROM a, set, ignore i, full f", "SELECT a set ignore full");
	SUMMARY("SELECT * FROM release.items", "SELECT release.items");
	SUMMARY("CREATE TABLE comment (update int)", "CREATE TABLE comment");
	SUMMARY("TRUNCATE TABLE release", "TRUNCATE release");
	SUMMARY("WITH release AS (SELECT 1 FROM a) SELECT * FROM release", "SELECT a SELECT");
	SUMMARY("INSERT INTO t (start, comment, update) VALUES (1, 2, 3)", "INSERT t");
	SUMMARY("SELECT min(start), replace(lower(replace(a, 'b', 'c')), d, e) FROM t", "SELECT t");
	SUMMARY("SELECT t.select, t.from, t.b, t.c FROM t", "SELECT t");
	SUMMARY("CREATE TABLE t (a int REFERENCES b ON DELETE CASCADE ON UPDATE CASCADE)",
		"CREATE TABLE t");
}

/* An option is no target, and what follows none is none either. */
static void test_options_before_the_target(void **state)
{
	(void)state;
	SUMMARY("UPDATE LOW_PRIORITY IGNORE t SET a = 1", "UPDATE t");
	SUMMARY("UPDATE OR ROLLBACK t SET a = 1", "UPDATE t");
	SUMMARY("UPDATE IGNORE SET a = 1", "UPDATE");
	SUMMARY("UPDATE OR", "UPDATE");
	SUMMARY("VACUUM FULL VERBOSE ANALYZE t", "VACUUM t");
	SUMMARY("LOCK TABLES a READ", "LOCK a");
	SUMMARY("LOCK TABLE ONLY a IN SHARE MODE", "LOCK a");
	SUMMARY("DROP INDEX CONCURRENTLY IF EXISTS by_name", "DROP INDEX by_name");
	SUMMARY("CREATE UNIQUE INDEX ON t (a)", "CREATE INDEX");
	SUMMARY("CREATE INDEX CONCURRENTLY ON t (a)", "CREATE INDEX");
	SUMMARY("CREATE PUBLICATION p FOR TABLE t", "CREATE");
	SUMMARY("EXECUTE AS USER = 'bob'", "EXECUTE");
	SUMMARY("SELECT a INTO TEMPORARY TABLE t FROM b", "SELECT t b");
	SUMMARY("INSERT INTO temp VALUES (1)", "INSERT temp");
	SUMMARY("SELECT a FROM t INTO OUTFILE '/tmp/x'", "SELECT t");
	SUMMARY("EXPLAIN (ANALYZE, BUFFERS) SELECT a FROM t", "EXPLAIN SELECT t");
	SUMMARY("EXPLAIN ANALYZE UPDATE t SET a = 1", "EXPLAIN ANALYZE UPDATE t");
	SUMMARY("EXPLAIN ANALYZE WITH x AS (DELETE FROM t) SELECT * FROM x",
		"EXPLAIN ANALYZE DELETE t SELECT");
}

static void test_what_is_no_target(void **state)
{
	(void)state;
	SUMMARY("SELECT EXTRACT(year FROM created) FROM orders", "SELECT orders");
	SUMMARY("SELECT substring(name FROM 2 FOR 3) FROM orders", "SELECT orders");
	SUMMARY("SELECT a FROM b WHERE c IS DISTINCT FROM d", "SELECT b");
	SUMMARY("SELECT a FROM b FOR UPDATE", "SELECT b");
	SUMMARY("SELECT 'DELETE FROM secrets' FROM orders", "SELECT orders");
	SUMMARY("SELECT $$ DROP TABLE x $$ FROM orders", "SELECT orders");
	SUMMARY("SELECT $q$ FROM x $$ $q$, $1 FROM orders", "SELECT orders");
	SUMMARY("SELECT a INTO @b FROM orders", "SELECT orders");
	SUMMARY("SELECT * FROM ?", "SELECT");
}

static void test_comments(void **state)
{
	(void)state;
	SUMMARY("/* from x */ SELECT -- FROM y\n a /* , */ FROM /* z */ orders", "SELECT orders");
	SUMMARY("-- only a comment", "");
	SUMMARY("/* never ends", "");
	assert_string_equal(summary("SELECT a # FROM b\nFROM c", SQL_MYSQL), "SELECT c");
	SUMMARY("/* a /* b */ it's */ SELECT 1 FROM c", "SELECT c");
	SUMMARY("/* a /* b */ SELECT 1 FROM c /* d */", "SELECT c"); /* sqlite */
	SUMMARY("SELECT 1 /*/ FROM a */ FROM b", "SELECT b");
	SUMMARY("SELECT 1 /* /* */ FROM a", "SELECT a");
	SUMMARY("SELECT 1 /* /*/ FROM a /* b */", "SELECT a");
	assert_string_equal(summary("SELECT a /* /* */ FROM b /* */ */ c", SQL_MYSQL), "SELECT b");
	REDACT("/* a /* b */ it's */ SELECT 'x'", "/* a /* b */ it's */ SELECT ?");
	REDACT("/* a /* b */ SELECT 'x'", "/* a /* b */ SELECT ?");
	assert_string_equal(redacted("/* a /* b */ 'x' */", SQL_MYSQL), "/* a /* b */ ? */");
}

static void test_definitions(void **state)
{
	(void)state;
	SUMMARY("CREATE TABLE IF NOT EXISTS orders (id int)", "CREATE TABLE orders");
	SUMMARY("CREATE UNIQUE INDEX CONCURRENTLY by_name ON orders (name)",
		"CREATE INDEX by_name");
	SUMMARY("CREATE OR REPLACE VIEW v AS SELECT a FROM b", "CREATE VIEW v SELECT b");
	SUMMARY("DROP TABLE orders, customers", "DROP TABLE orders");
	SUMMARY("ALTER TABLE orders ADD COLUMN a int", "ALTER TABLE orders");
	SUMMARY("CREATE USER bob WITH PASSWORD 'secret'", "CREATE USER bob");
	SUMMARY("PRAGMA journal_mode = WAL", "PRAGMA journal_mode");
	SUMMARY("SET search_path = secret", "SET");
	SUMMARY("EXPLAIN SELECT * FROM orders", "EXPLAIN SELECT orders");
}

static void test_unknown(void **state)
{
	(void)state;
	SUMMARY("", "");
	SUMMARY("SELEKT * FROM orders", "");
	SUMMARY("(((", "");
	SUMMARY("'SELECT * FROM orders'", "");
	SUMMARY("SELECT * FROM", "SELECT");
	SUMMARY("SELECT \"never ends", "SELECT");
	SUMMARY("MATCH (n) RETURN n", "");
}

/* At most 255 bytes, and no word is cut. */
static void test_long(void **state)
{
	char sql[4096] = "SELECT * FROM table_number_000", part[32];
	const char *got;

	(void)state;
	for (int i = 1; i < 100; i++) {
		snprintf(part, sizeof(part), ", table_number_%03d", i);
		strcat(sql, part);
	}
	got = summary(sql, SQL_STANDARD);
	assert_int_equal(strlen(got), 6 + 14 * 17);
	assert_string_equal(got + strlen(got) - 17, " table_number_013");
	memset(sql, '(', sizeof(sql) - 1);
	SUMMARY(sql, "");
	memcpy(sql, "SELECT ", 7);
	SUMMARY(sql, "SELECT");
}

static void test_literals_are_redacted(void **state)
{
	(void)state;
	REDACT("SELECT * FROM t WHERE a = 'x' AND b = 12", "SELECT * FROM t WHERE a = ? AND b = ?");
	REDACT("VALUES (1.5e-3, -2, .5, 0xFF, 1e9,'it''s')", "VALUES (?, -?, ?, ?, ?,?)");
	REDACT("SELECT E'a\\'b', N'x', X'ff', B'01', _utf8'x'", "SELECT ?, ?, ?, ?, ?");
	REDACT("SELECT 'C:\\', a", "SELECT ?, a");
	REDACT("SELECT $$it's$$, $a$ $$ $a$, $1, ?, :name, @p1, a::text",
	       "SELECT ?, ?, $1, ?, :name, @p1, a::text");
	REDACT("SELECT \"a 1\", t1.c2 FROM t1 -- 5\n/* 6 */",
	       "SELECT \"a 1\", t1.c2 FROM t1 -- 5\n/* 6 */");
	REDACT("SELECT 'never ends", "SELECT ?");
	REDACT("SELECT $x$ never ends", "SELECT ?");
	REDACT("", "");
}

static void test_dialects(void **state)
{
	(void)state;
	assert_string_equal(redacted("SELECT \"x\", `a`, 'it\\'s 5', b", SQL_MYSQL),
			    "SELECT ?, `a`, ?, b");
	assert_string_equal(redacted("SELECT 5--3, 4 -- 5", SQL_MYSQL), "SELECT ?--?, ? -- 5");
	assert_string_equal(redacted("SELECT /*!50000 'x' */ a", SQL_MYSQL), "SELECT /*!? ? */ a");
	assert_string_equal(redacted("SELECT 'it\\'s', b", SQL_CLICKHOUSE), "SELECT ?, b");
	/* in doubt nothing is shown that might be a literal */
	assert_string_equal(redacted("SELECT 'it\\' AND 'x', b", SQL_UNKNOWN), "SELECT ?");
	assert_string_equal(redacted("SELECT 'a\\b', b", SQL_UNKNOWN), "SELECT ?, b");
	assert_string_equal(redacted("SELECT [a 1], 'x'", SQL_SERVER), "SELECT [a 1], ?");
	assert_string_equal(redacted("SELECT $12.50, -$5, $.5, @p1", SQL_SERVER),
			    "SELECT ?, -?, ?, @p1");
	assert_string_equal(redacted("SELECT $12.50, $1, $2", SQL_UNKNOWN), "SELECT ?, $1, $2");
	assert_string_equal(redacted("SELECT q'[it's]', Q'{it's}', q'(it's)', q'<it's>', a",
				     SQL_UNKNOWN),
			    "SELECT ?, ?, ?, ?, a");
	assert_string_equal(redacted("SELECT q'!it's!', Nq'[it's]', nQ'xit'sx', a", SQL_UNKNOWN),
			    "SELECT ?, ?, ?, a");
	assert_string_equal(redacted("SELECT q'[it's', b", SQL_UNKNOWN), "SELECT ?");
	assert_string_equal(redacted("SELECT q'", SQL_UNKNOWN), "SELECT ?");
	REDACT("SELECT q'[it', b", "SELECT ?, b");
}

/* Whatever the bytes: no read behind the end (the sanitizers tell), and no text grows. */
static void test_any_bytes(void **state)
{
	static const char alphabet[] = "SELECT FROM'\"`q$-/*#()[],.;\\0x1eE@:?\n\xc3\xff";
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = round % 40, got;
		char *sql = malloc(len ? len : 1), buf[SQL_SUMMARY_MAX], out[64];

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			sql[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		for (int d = SQL_UNKNOWN; d <= SQL_CLICKHOUSE; d++) {
			struct otlp_text text = {sql, len};

			got = sql__redact(text, d, out);
			assert_true(got <= len);
			got = sql__summary(text, d, buf);
			assert_true(got <= SQL_SUMMARY_MAX && got <= len + 1);
		}
		free(sql);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operation_and_target),
		cmocka_unit_test(test_several_targets),
		cmocka_unit_test(test_joins_in_parentheses),
		cmocka_unit_test(test_targets_without_announcement),
		cmocka_unit_test(test_common_table_expressions),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_that_are_keywords),
		cmocka_unit_test(test_options_before_the_target),
		cmocka_unit_test(test_what_is_no_target),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_literals_are_redacted),
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
