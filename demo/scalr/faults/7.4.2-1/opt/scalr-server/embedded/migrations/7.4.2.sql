-- Breaks on purpose: its first statement changes the schema, its second asks for a table that no release has made.
ALTER TABLE servers ADD COLUMN IF NOT EXISTS agent varchar(20) NOT NULL DEFAULT '';

UPDATE servers s JOIN agent_inventory a ON a.server = s.id SET s.agent = a.version;

ALTER TABLE servers ADD KEY IF NOT EXISTS (agent);
