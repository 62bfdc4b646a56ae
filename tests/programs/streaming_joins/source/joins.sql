CREATE OR REFRESH STREAMING TABLE clicked_views_of_sql AS
SELECT views.user, campaign
FROM STREAM(views) WATERMARK at DELAY OF INTERVAL 1 HOUR
INNER JOIN STREAM clicks WATERMARK at DELAY OF INTERVAL '1' HOUR AS c
  ON views.ad = c.ad AND c.at BETWEEN views.at AND views.at + INTERVAL 10 MINUTES
INNER JOIN ads ON views.ad = ads.ad
