CREATE OR REFRESH STREAMING TABLE signed AS
SELECT name, initials(name) AS signature FROM STREAM(people);
