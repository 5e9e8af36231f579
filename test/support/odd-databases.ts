/** A database that is hard to put back, as statements for MariaDB's client. */
export interface OddDatabase {
  /** What is odd about it. */
  readonly odd: string;
  /** The text that makes it; it makes its own schemas. */
  readonly sql: string;
}

/** One that is refused before services are stopped. */
export interface Refused extends OddDatabase {
  readonly says: RegExp;
  /** Takes it away again. */
  readonly ends: string;
}

const body = (sql: string): string => `\ndelimiter //\n${sql}//\ndelimiter ;\n`;

/** Each goes through backup, trial, upgrade and restore: another dump is the same, byte for byte. */
export const kept: readonly OddDatabase[] = [
  {
    odd: "a key into another schema, which comes later and is dropped first",
    sql: `create database billing; create database accounts;
create table billing.plans (id int primary key); insert into billing.plans values (1), (2);
create table accounts.users (id int primary key, plan int, foreign key (plan) references billing.plans (id));
insert into accounts.users values (1, 2);`,
  },
  {
    odd: "keys in a cycle, across schemas",
    sql: `create database ring_b; create database ring_a;
create table ring_a.a (id int primary key, b int); create table ring_b.b (id int primary key, a int);
insert into ring_a.a values (1, 1); insert into ring_b.b values (1, 1);
alter table ring_a.a add foreign key (b) references ring_b.b (id); alter table ring_b.b add foreign key (a) references ring_a.a (id);`,
  },
  {
    odd: "a row whose parent is gone",
    sql: `create database orphan; use orphan; create table p (id int primary key); create table c (p int, foreign key (p) references p (id));
set foreign_key_checks = 0; insert into c values (7); set foreign_key_checks = 1;`,
  },
  {
    odd: "history of system-versioned tables, with deleted rows",
    sql: `create database hist; use hist; create table prices (id int primary key, p int) with system versioning;
insert into prices values (1, 1), (2, 1); update prices set p = 2; update prices set p = 3; delete from prices where id = 1;`,
  },
  {
    odd: "history in partitions, by number and by time",
    sql: `create database histp; use histp;
create table a (id int primary key, p int) with system versioning partition by system_time limit 2 auto;
insert into a values (1, 1); update a set p = 2; update a set p = 3; update a set p = 4; update a set p = 5;
create table b (id int, p int) with system versioning partition by system_time (partition h history, partition c current);
insert into b values (1, 1), (2, 2); update b set p = 3; delete from b where id = 2;`,
  },
  {
    odd: "history with named columns, and a period of the application",
    sql: `create database periods; use periods;
create table t (x int, s timestamp(6) generated always as row start invisible, e timestamp(6) generated always as row end invisible, period for system_time (s, e)) with system versioning;
insert into t (x) values (1); update t set x = 2;
create table r (id int, f date, u date, period for stay (f, u), unique (id, stay without overlaps)); insert into r values (1, '2026-01-01', '2026-02-01');`,
  },
  {
    odd: "sequences, used by defaults of tables",
    sql: `create database seqs; use seqs; create sequence s start 5 increment 3 cache 10; create sequence down start -1 increment -1 cycle minvalue -9 maxvalue -1;
create table t (id int default nextval(seqs.s), x int); insert into t (x) values (1), (2); select nextval(s), nextval(down);`,
  },
  {
    odd: "events of all states, in a zone of their own",
    sql: `create database app_events; use app_events; create table l (t int);
set time_zone = 'Europe/Berlin'; create event nightly on schedule every 1 day starts '2030-01-01 03:00:00' do insert into l values (1);
set time_zone = 'SYSTEM'; create event off on schedule every 1 day disable do insert into l values (2);
create event elsewhere on schedule every 1 day disable on slave do insert into l values (3);`,
  },
  {
    odd: "an event that fires every second of a restore, and one that comes once, before it",
    sql: `create database ticking; use ticking; create table l (t datetime, who char(4), k int auto_increment primary key);
create event tick on schedule every 1 second do insert into l (t, who) select now(), 'tick' from dual where @@global.max_allowed_packet > 900000000;
create event once on schedule at current_timestamp + interval 45 second do insert into l (t, who) values (now(), 'once');`,
  },
  {
    odd: "routines with comments, carriage returns and quotes",
    sql: `create database code; use code; ${body(
      "create procedure p(inout x int) comment 'two\nlines' sql security invoker begin /* stays */ -- stays, too\r\n  # and this\r\n  set x = x + 1; select 'a\\\\b\\n\\'c'; end",
    )}${body("create function f(x int) returns int deterministic return x * 2")}
set sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'; ${body('create function "odd" () returns varchar(9) deterministic return "code"."f"(1) || \'x\'')}set sql_mode = default;`,
  },
  {
    odd: "a routine in Oracle's dialect, and a package",
    sql: `create database ora; use ora; set sql_mode = oracle; ${body("create package pk as procedure p1(); end;")}${body(
      "create package body pk as procedure p1() as begin select 1; end; end;",
    )}set sql_mode = default;`,
  },
  {
    odd: "triggers in an order of their own",
    sql: `create database trig; use trig; create table t (i int, log varchar(99) default '');
create trigger z before insert on t for each row set new.log = concat(new.log, 'z');
create trigger a before insert on t for each row follows z set new.log = concat(new.log, 'a');
create trigger m before insert on t for each row precedes a set new.log = concat(new.log, 'm'); insert into t (i) values (1);`,
  },
  {
    odd: "views on views of other schemas, in the wrong order",
    sql: `create database va; create database vb; create table vb.t (i int); insert into vb.t values (3);
create function vb.twice(x int) returns int deterministic return x * 2;
create view vb.zz as select i, vb.twice(i) as j from vb.t; create view va.aa as select * from vb.zz; create view vb.aa as select * from va.aa;`,
  },
  {
    odd: "definers that are no accounts",
    sql: `create database ghosts; use ghosts; create table t (i int); create user ghost@'10.%' identified by 'secret of a ghost';
create definer = ghost@'10.%' trigger tr before insert on t for each row set new.i = 1;
create definer = ghost@'10.%' procedure p() select 1; create definer = ghost@'10.%' view v as select i from t; create definer = ghost@'10.%' event e on schedule every 1 day disable do select 1; drop user ghost@'10.%';`,
  },
  {
    odd: "accounts, roles, and rights to columns",
    sql: `create database rights; use rights; create table t (a int, b int); create procedure p() select 1;
create role auditor; create user reader@'192.0.2.%' identified by 'x' password expire never; create user 'o''hara'@localhost identified via unix_socket;
grant select (a), update (b) on rights.t to reader@'192.0.2.%'; grant execute on procedure rights.p to reader@'192.0.2.%'; grant select on rights.* to auditor;
grant auditor to reader@'192.0.2.%'; set default role auditor for reader@'192.0.2.%'; create user locked@localhost account lock;`,
  },
  {
    odd: "names that need quotes",
    sql: `create database \`select\`; create database \`a.b\`; create database a; create database \`with-hyphen and space\`; create database \`back\`\`tick\`;
create table \`select\`.\`from\` (\`where\` int, \`a b\` int); insert into \`select\`.\`from\` values (1, 2);
create table \`a.b\`.c (i int); create table a.\`b.c\` (i int, j int); insert into \`a.b\`.c values (1); insert into a.\`b.c\` values (1, 2), (3, 4);
create table \`with-hyphen and space\`.\`größe ✓ #1\` (\`%\` int); create table \`back\`\`tick\`.\`q"uo'te\` (i int); insert into \`back\`\`tick\`.\`q"uo'te\` values (1);`,
  },
  {
    odd: "names that differ in case",
    sql: `create database Shop; create database shop; create table Shop.T (i int); create table Shop.t (i int); create table shop.T (i int);
insert into Shop.T values (1); insert into Shop.t values (1), (2);`,
  },
  {
    odd: "a name with a line break",
    sql: `create database breaks; create table breaks.\`two
lines\` (\`a
b\` int); insert into breaks.\`two
lines\` values (1);`,
  },
  {
    odd: "bytes of latin1, binary bytes, emoji, and one schema with its own character set",
    sql: `create database sets character set latin1 collate latin1_german2_ci; use sets; create table t (a varchar(50), b varbinary(300), e text character set utf8mb4, u varchar(9) character set ucs2, k varchar(9) character set koi8r);
insert into t values (x'8182e9ff0d0a', x'00ff5c270d0a1a', '😀 “…”', 'ü', 'я'); insert into t (a, e) values ('line\\r\\nbreak\\0\\Z', 'x\\\\'), (null, ''); create view v as select 'ü€' as c;`,
  },
  {
    odd: "numbers, times and bits at their ends",
    sql: `create database ends; use ends; set sql_mode = ''; create table t (z datetime, d date, ts timestamp null, y year, b bit(64), n decimal(65, 30), f double, i bigint unsigned, tm time(6));
insert into t values ('0000-00-00 00:00:00', '2026-00-00', '1970-01-01 00:00:01', 0, ~0, -99999999999999999999999999999999999.999999999999999999999999999999, 2.2250738585072014e-308, 18446744073709551615, '-838:59:59.999999'); insert into t (f) values (0.1 + 0.2), (-0e0); set sql_mode = default;`,
  },
  {
    odd: "the id 0, and a counter far ahead",
    sql: `create database zero; use zero; set sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; create table t (id int primary key auto_increment); insert into t values (0), (-5), (1); alter table t auto_increment = 777777; create table e (id bigint auto_increment primary key) auto_increment = 12345; set sql_mode = default;`,
  },
  {
    odd: "columns that are computed, hidden, compressed or checked",
    sql: `create database cols; use cols; create table t (a int, v int as (a + 1) virtual, s int as (a * 2) stored, h int invisible default 9, c blob compressed, j json, key (v), constraint small check (a < 100), check (json_valid(j)));
insert into t (a, c, j) values (1, repeat('x', 5000), '{"k": [1, 2, {"ü": null}]}');
create table d (a int default (1 + 1), b varchar(36) default uuid(), t timestamp default current_timestamp on update current_timestamp); insert into d (b) values ('fixed');`,
  },
  {
    odd: "a row that breaks its own check",
    sql: `create database broken; use broken; create table t (a int, check (a < 10)); set check_constraint_checks = 0; insert into t values (5000); set check_constraint_checks = 1;`,
  },
  {
    odd: "partitions of partitions",
    sql: `create database parts; use parts; create table t (id int, d date) partition by range (year(d)) subpartition by hash (id) subpartitions 2 (partition old values less than (2020), partition rest values less than maxvalue);
insert into t values (1, '2019-05-05'), (2, '2026-05-05'), (3, null); create table k (id int primary key) partition by key () partitions 3; insert into k values (1), (2), (3);`,
  },
  {
    odd: "full texts, shapes and vectors of indexes",
    sql: `create database idx; use idx; create table t (id int primary key, txt text, p point not null, g geometry, fulltext (txt), spatial (p), key pre (txt(20)), key down (id desc));
insert into t values (1, 'the quick brown fox', point(1, 2), st_geomfromtext('POLYGON((0 0, 0 1, 1 1, 0 0))')); create table i (a int, key a (a) ignored, unique (a) using hash);`,
  },
  {
    odd: "all engines",
    sql: `install soname 'ha_archive'; install soname 'ha_blackhole'; create database engines; use engines; create table mi (i int auto_increment primary key, t text, fulltext (t)) engine = myisam row_format = dynamic; insert into mi (t) values ('a'), ('b'), ('c'); delete from mi where i = 2;
create table ar (i int, t varchar(20)) engine = aria transactional = 0; insert into ar values (1, 'x'); create table me (i int) engine = memory; insert into me values (1), (2);
create table cs (i int not null, t varchar(20) not null) engine = csv; insert into cs values (1, 'a,"b'); create table az (i int) engine = archive; insert into az values (1), (2), (3);
create table bh (i int) engine = blackhole; insert into bh values (1); create table m1 (i int) engine = myisam; create table m2 like m1; insert into m1 values (1); insert into m2 values (2); create table mg (i int) engine = merge union = (m1, m2) insert_method = last;`,
  },
  {
    odd: "tables in memory that are larger than the server's limit",
    sql: `create database heap; use heap; set max_heap_table_size = 67108864; create table t (a char(200)) engine = memory character set latin1; insert into t select repeat('x', 200) from seq_1_to_100000; set max_heap_table_size = default;`,
  },
  {
    odd: "compressed tables, of both kinds",
    sql: `create database zip; use zip; create table r (i int primary key, t text) row_format = compressed key_block_size = 4; insert into r values (1, repeat('z', 9000)); create table p (i int primary key, t text) page_compressed = 1; insert into p values (1, repeat('z', 9000));`,
  },
  {
    odd: "rows wider than a page, from before the strict mode",
    sql: `create database wide; use wide; set innodb_strict_mode = 0; set @c = (select group_concat('c', seq, ' varchar(255)') from seq_1_to_197); execute immediate concat('create table t (', @c, ') engine = innodb row_format = dynamic character set latin1'); insert into t (c1) values ('x'); set innodb_strict_mode = default;`,
  },
  {
    odd: "a row of 10 MiB and one of 64 MiB",
    sql: `create database blobs; use blobs; set global max_allowed_packet = 134217728;
connect; create table t (id int primary key, b longblob); insert into t values (1, repeat(x'00ff5c', 3500000)); insert into t values (2, repeat(x'00', 67108864)); set global max_allowed_packet = 16777216;`,
  },
  {
    odd: "no keys at all, and rows twice",
    sql: `create database loose; use loose; create table t (a int, b varchar(9)); insert into t values (3, 'c'), (1, 'a'), (3, 'c'), (null, null); create table k (a int, key (a)); insert into k values (3), (1), (2), (1);`,
  },
  {
    odd: "many rows, whose secondary index has all columns",
    sql: `create database covered; use covered; create table t (id int primary key auto_increment, a int, key (a)); insert into t (a) select 20000 - seq from seq_1_to_20000; delete from t where id % 7 = 0;`,
  },
  {
    odd: "a schema with nothing, and one with a comment",
    sql: `create database nothing character set utf8mb3; create database said comment 'it''s "said"\\n'; create table nothing.t (i int) comment 'ü\\n--\\n-- Table structure for table \`x\`'; drop table nothing.t; create table said.t (i int comment 'x;\\n//') comment 'DELIMITER ;;';`,
  },
  {
    odd: "tables in another folder",
    sql: `create database far; create table far.t (i int primary key) engine = innodb data directory = '/srv/far'; insert into far.t values (1);`,
  },
  {
    odd: "a type of a plugin's, and addresses",
    sql: `create database types; use types; create table t (u uuid, a inet6, b inet4, e enum('a', 'ü', ''), s set('x', 'y')); insert into t values (uuid(), '2001:db8::1', '192.0.2.1', 'ü', 'x,y'), (null, null, null, '', '');`,
  },
];

/** Each is refused by the backup or its trial, with the reason, while services run. */
export const refused: readonly Refused[] = [
  {
    odd: "history that is kept by transactions",
    sql: `create database bytrx; create table bytrx.t (x int, s bigint unsigned generated always as row start, e bigint unsigned generated always as row end, period for system_time (s, e)) with system versioning;`,
    says: /bytrx\.t keeps its history by transactions, which no dump has/,
    ends: "drop database bytrx",
  },
  {
    odd: "characters of which a dump makes others",
    sql: `create database lossy; create table lossy.t (c varchar(9) character set cp932); insert into lossy.t values (x'8790');`,
    says: /lossy\.t has other bytes/,
    ends: "drop database lossy",
  },
  {
    odd: "a schema that dump programs take for the system's",
    sql: `create database Sys; create table Sys.x (i int); insert into Sys.x values (5);`,
    says: /Sys\.x is missing/,
    ends: "drop database Sys",
  },
  {
    odd: "a view of what is gone",
    sql: `create database gone; create table gone.t (i int); create view gone.v as select * from gone.t; drop table gone.t;`,
    says: /gone\.v/,
    ends: "drop database gone",
  },
  {
    odd: "a view that checks what a later view lets through",
    sql: `create database checked; create table checked.t (i int); create view checked.z as select * from checked.t; create view checked.a as select * from checked.z with cascaded check option;`,
    says: /CHECK OPTION on non-updatable view `checked`\.`a`/,
    ends: "drop database checked",
  },
  {
    odd: "a prepared transaction",
    sql: `create database xa; create table xa.t (i int) engine = innodb; xa start 'left'; insert into xa.t values (1); xa end 'left'; xa prepare 'left';`,
    says: /XA transaction left is prepared/,
    ends: "xa rollback 'left'; drop database xa",
  },
];
