"""Business transforms of the candles into the schema mart; docs/reference/transforms.md says what each holds."""
