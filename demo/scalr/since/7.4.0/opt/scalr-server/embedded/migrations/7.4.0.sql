-- Since 7.4.0 a farm has a cost center and tags.
ALTER TABLE farms ADD COLUMN IF NOT EXISTS cost_center varchar(40) NOT NULL DEFAULT 'none';

CREATE TABLE IF NOT EXISTS farm_tags (
  farm int NOT NULL, tag varchar(40) NOT NULL, PRIMARY KEY (farm, tag), FOREIGN KEY (farm) REFERENCES farms (id));

UPDATE farms SET cost_center = concat('account-', account) WHERE cost_center = 'none';

INSERT IGNORE INTO farm_tags SELECT farm, value FROM farm_settings WHERE name = 'timezone';

CREATE OR REPLACE VIEW farm_overview AS
  SELECT f.id, f.name, f.state, f.cost_center, count(s.id) AS servers
  FROM farms f LEFT JOIN servers s ON s.farm = f.id AND s.state = 'running' GROUP BY f.id;
