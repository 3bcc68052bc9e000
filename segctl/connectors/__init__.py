"""Sources and destinations: what arrives and what is sent."""

FILE_FORMATS = {
    "csv": "segctl.connectors.files.csv_reader:CsvReader",
    "json": "segctl.connectors.files.json_reader:JsonReader",
    "ndjson": "segctl.connectors.files.ndjson_reader:NdjsonReader",
    "parquet": "segctl.connectors.files.parquet_reader:ParquetReader",
    "xlsx": "segctl.connectors.files.xlsx_reader:XlsxReader",
}
