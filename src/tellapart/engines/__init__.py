"""Engines: what runs a backbone. OpenVINO on the CPU, torch on GPUs."""

from tellapart.engines.choose import ENGINES, choose_engine, open_engine
from tellapart.engines.openvino import load_network, network_folder
from tellapart.engines.records import Engine, EngineInfo, engine_info, usable_cores

__all__ = [
    "ENGINES",
    "Engine",
    "EngineInfo",
    "choose_engine",
    "engine_info",
    "load_network",
    "network_folder",
    "open_engine",
    "usable_cores",
]
