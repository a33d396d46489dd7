"""Chips that several parts share: ADCs and PWM generators."""
