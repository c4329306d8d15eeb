-- PostgreSQL alone has row-level security; see migrations/postgres/0015_walls.sql. Here one process owns the file, and there is nobody to
-- keep from a row but by the statement itself.
SELECT 1;
