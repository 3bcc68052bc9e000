SELECT DISTINCT id FROM params WHERE key = 'page_title' AND contains(lower(text_value), 'cart')
