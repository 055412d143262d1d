terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "ap-northeast-2"
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}

data "aws_caller_identity" "current" {}

variable "revision" { default = "1.0.0" }

locals {
  services = {
    fileflow-web-api            = { port = 8083, container = "fileflow", log_group = "/aws/ecs/fileflow", tag = "web-api-" }
    fileflow-scheduler-download = { port = 9091, container = "fileflow-scheduler-download", log_group = "/aws/ecs/fileflow-scheduler-download", tag = "download-scheduler-" }
    fileflow-scheduler-pipeline = { port = 9092, container = "fileflow-scheduler-pipeline", log_group = "/aws/ecs/fileflow-scheduler-pipeline", tag = "pipeline-scheduler-" }
  }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.30.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "shared" }
}

resource "aws_subnet" "private" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = ["ap-northeast-2a", "ap-northeast-2c"][count.index]
  tags              = { Tier = "private" }
}

resource "aws_subnet" "public" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, 10 + count.index)
  availability_zone = ["ap-northeast-2a", "ap-northeast-2c"][count.index]
  tags              = { Tier = "public" }
}

resource "aws_internet_gateway" "main" { vpc_id = aws_vpc.main.id }

resource "aws_ecr_repository" "fileflow" {
  name = "fileflow"
}

resource "aws_ecs_cluster" "main" {
  name = "fileflow-prod"
}

resource "aws_cloudwatch_log_group" "service" {
  for_each          = local.services
  name              = each.value.log_group
  retention_in_days = 30
}

resource "aws_iam_role" "execution" {
  for_each = local.services
  name     = "${each.key}-execution-role"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "execution" {
  for_each   = local.services
  role       = aws_iam_role.execution[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  for_each = local.services
  name     = "${each.key}-task-role"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
}

resource "aws_security_group" "load_balancer" {
  name        = "fileflow-prod-alb-sg"
  description = "ALB"
  vpc_id      = aws_vpc.main.id
  ingress {
    from_port   = 80
    to_port     = 80
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "service" {
  for_each    = local.services
  name        = "${each.key}-sg"
  description = "Tasks of ${each.key}"
  vpc_id      = aws_vpc.main.id
  ingress {
    from_port   = each.value.port
    to_port     = each.value.port
    protocol    = "tcp"
    cidr_blocks = [aws_vpc.main.cidr_block]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "main" {
  name               = "fileflow-prod-alb"
  load_balancer_type = "application"
  subnets            = aws_subnet.public[*].id
  security_groups    = [aws_security_group.load_balancer.id]
}

resource "aws_lb_target_group" "web_api" {
  name        = "fileflow-prod-web-api"
  port        = 8083
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.main.id
  health_check { path = "/actuator/health" }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web_api.arn
  }
}

resource "aws_ecs_task_definition" "service" {
  for_each                 = local.services
  family                   = "${each.key}-prod"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task[each.key].arn
  container_definitions = jsonencode([{
    name         = each.value.container
    image        = "${aws_ecr_repository.fileflow.repository_url}:${each.value.tag}${var.revision}"
    essential    = true
    portMappings = [{ containerPort = each.value.port }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = each.value.log_group
        awslogs-region        = "ap-northeast-2"
        awslogs-stream-prefix = "ecs"
      }
    }
  }])
}

resource "aws_ecs_service" "service" {
  for_each        = local.services
  name            = each.key
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.service[each.key].arn
  desired_count   = 1
  launch_type     = "FARGATE"
  network_configuration {
    subnets         = aws_subnet.private[*].id
    security_groups = [aws_security_group.service[each.key].id]
  }
  dynamic "load_balancer" {
    for_each = each.key == "fileflow-web-api" ? [1] : []
    content {
      target_group_arn = aws_lb_target_group.web_api.arn
      container_name   = "fileflow"
      container_port   = 8083
    }
  }
  depends_on = [aws_lb_listener.http]
}
