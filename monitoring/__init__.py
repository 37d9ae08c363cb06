"""What happens, as metrics, health and logs."""
