-- For whom the members of a call were called: 8 bytes each, a stand-in for the client's name. Empty in rows from
-- before there were clients: then all of them were of "anonymous".
ALTER TABLE calls ADD COLUMN clients BLOB NOT NULL DEFAULT x'';
