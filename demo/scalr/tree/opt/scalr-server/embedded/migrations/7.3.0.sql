-- The schema as 7.3.0 has it, with its first data. Statements end with an empty line; each can be run again.
CREATE TABLE IF NOT EXISTS clouds (
  id int PRIMARY KEY, name varchar(40) NOT NULL UNIQUE, credential varchar(80) NOT NULL);

CREATE TABLE IF NOT EXISTS accounts (
  id int PRIMARY KEY, name varchar(40) NOT NULL UNIQUE, created datetime NOT NULL);

CREATE TABLE IF NOT EXISTS users (
  id int PRIMARY KEY, account int NOT NULL, email varchar(80) NOT NULL UNIQUE,
  FOREIGN KEY (account) REFERENCES accounts (id));

CREATE TABLE IF NOT EXISTS roles (
  id int PRIMARY KEY, name varchar(40) NOT NULL UNIQUE, image varchar(40) NOT NULL);

CREATE TABLE IF NOT EXISTS farms (
  id int AUTO_INCREMENT PRIMARY KEY, account int NOT NULL, cloud int NOT NULL, name varchar(60) NOT NULL UNIQUE,
  state enum('pending', 'running', 'terminating', 'terminated', 'failed') NOT NULL DEFAULT 'pending',
  why varchar(200) NOT NULL DEFAULT '',
  FOREIGN KEY (account) REFERENCES accounts (id), FOREIGN KEY (cloud) REFERENCES clouds (id));

CREATE TABLE IF NOT EXISTS farm_settings (
  farm int NOT NULL, name varchar(40) NOT NULL, value varchar(80) NOT NULL, PRIMARY KEY (farm, name),
  FOREIGN KEY (farm) REFERENCES farms (id));

CREATE TABLE IF NOT EXISTS servers (
  id int AUTO_INCREMENT PRIMARY KEY, farm int NOT NULL, role int NOT NULL,
  state enum('pending', 'running', 'terminating', 'terminated', 'failed') NOT NULL DEFAULT 'pending',
  address varchar(40) NULL, instance varchar(80) NOT NULL DEFAULT '', polled datetime NULL, checked datetime NULL,
  FOREIGN KEY (farm) REFERENCES farms (id), FOREIGN KEY (role) REFERENCES roles (id));

CREATE TABLE IF NOT EXISTS licenses (
  id int PRIMARY KEY, holder varchar(40) NOT NULL, expires date NOT NULL, checked datetime NULL);

CREATE TABLE IF NOT EXISTS messages (
  id int AUTO_INCREMENT PRIMARY KEY, queue varchar(20) NOT NULL, body varchar(200) NOT NULL,
  state enum('new', 'sent', 'done') NOT NULL DEFAULT 'new', changed datetime(3) NOT NULL, KEY (state, changed));

CREATE TABLE IF NOT EXISTS audit (
  id int AUTO_INCREMENT PRIMARY KEY, at datetime(3) NOT NULL, farm int NOT NULL, was varchar(20) NOT NULL,
  state varchar(20) NOT NULL);

CREATE TABLE IF NOT EXISTS heartbeats (
  id bigint AUTO_INCREMENT PRIMARY KEY, at datetime(3) NOT NULL, host varchar(64) NOT NULL,
  service varchar(40) NOT NULL, version varchar(20) NOT NULL, KEY (at), KEY (service, id));

CREATE TABLE IF NOT EXISTS samples (
  id bigint AUTO_INCREMENT PRIMARY KEY, at datetime NOT NULL, host varchar(64) NOT NULL, cpu_load double NOT NULL,
  KEY (at));

CREATE TABLE IF NOT EXISTS loads_hourly (
  hour datetime NOT NULL, host varchar(64) NOT NULL, samples int NOT NULL, cpu_load double NOT NULL,
  PRIMARY KEY (hour, host));

CREATE OR REPLACE VIEW farm_overview AS
  SELECT f.id, f.name, f.state, count(s.id) AS servers
  FROM farms f LEFT JOIN servers s ON s.farm = f.id AND s.state = 'running' GROUP BY f.id;

CREATE OR REPLACE TRIGGER farms_audit AFTER UPDATE ON farms FOR EACH ROW
BEGIN
  IF OLD.state <> NEW.state THEN
    INSERT INTO audit (at, farm, was, state) VALUES (now(3), NEW.id, OLD.state, NEW.state);
  END IF;
END;

CREATE OR REPLACE PROCEDURE forget_heartbeats(IN minutes int)
BEGIN
  DELETE FROM heartbeats WHERE at < now(3) - INTERVAL minutes MINUTE;
  DELETE FROM samples WHERE at < now() - INTERVAL minutes MINUTE;
END;

CREATE OR REPLACE EVENT old_messages ON SCHEDULE EVERY 1 MINUTE DO
  DELETE FROM messages WHERE state = 'done' AND changed < now(3) - INTERVAL 1 HOUR;

INSERT IGNORE INTO clouds VALUES
  (1, 'public-east', 'key-1'), (2, 'public-west', 'key-2'), (3, 'private-rack', 'key-3'), (4, 'retired', '');

INSERT IGNORE INTO accounts SELECT seq, concat('account-', seq), '2023-01-01' + INTERVAL seq DAY FROM seq_1_to_6;

INSERT IGNORE INTO users
  SELECT seq, 1 + seq % 6, concat('user-', seq, '@example.org') FROM seq_1_to_40;

INSERT IGNORE INTO roles SELECT seq, concat('role-', seq), concat('image-', 1 + seq % 5) FROM seq_1_to_20;

INSERT IGNORE INTO farms (id, account, cloud, name, state)
  SELECT seq, 1 + seq % 6, 1 + seq % 3, concat('farm-', seq), 'running' FROM seq_1_to_24;

INSERT IGNORE INTO farm_settings
  SELECT f.seq, s.name, concat(s.name, ' of farm ', f.seq)
  FROM seq_1_to_24 f JOIN (SELECT 'timezone' AS name UNION SELECT 'owner') s;

INSERT IGNORE INTO servers (id, farm, role, state, address)
  SELECT seq, 1 + seq % 24, 1 + seq % 20, 'running', concat('192.0.2.', seq) FROM seq_1_to_72;

INSERT IGNORE INTO licenses VALUES (1, 'Scalr demo', '2099-12-31', NULL);
