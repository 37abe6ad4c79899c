"""What TypeScript may call: text in, text out, nothing raised."""
